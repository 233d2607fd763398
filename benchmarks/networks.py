"""Networks that people have, of torchvision and transformers, with random weights and in small configurations."""

import torch
import torchvision
import transformers
from torch import nn

CLASSIFIERS = """alexnet vgg11_bn resnet18 resnext50_32x4d squeezenet1_1 densenet121 googlenet mobilenet_v2 mobilenet_v3_small
mnasnet0_5 shufflenet_v2_x0_5 efficientnet_b0 regnet_y_400mf convnext_tiny swin_t swin_v2_t""".split()
LARGE = ("alexnet", "vgg11_bn")  # whose pools the older ONNX exporter only takes of the size that they were made for
SIZES = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64)
WORDS = dict(vocab_size=100, **SIZES)
CACHED = dict(use_cache=False, **WORDS)
SPEECH = dict(conv_dim=(16, 16), conv_stride=(5, 2), conv_kernel=(10, 3), num_feat_extract_layers=2, num_conv_pos_embeddings=16,
              num_conv_pos_embedding_groups=4, **WORDS)


def images(size):
    return lambda batch: torch.randn(batch, 3, size, size)


def tokens(batch):
    return torch.randint(0, 90, (batch, 12))


class First(nn.Module):
    """What is first of the outputs of a network of transformers."""

    def __init__(self, body):
        super().__init__()
        self.body = body

    def forward(self, x):
        return self.body(x)[0]


class Recurrent(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.words = nn.Embedding(90, 16)
        self.cells = kind(16, 24, num_layers=2, batch_first=True, bidirectional=True)
        self.head = nn.Linear(48, 7)

    def forward(self, x):
        return self.head(self.cells(self.words(x))[0][:, -1])


class Speech(nn.Module):
    def __init__(self):
        super().__init__()
        self.steps = nn.ModuleList(nn.Conv1d(1 if i == 0 else 16, 16, 9, dilation=2**i, padding=4 * 2**i) for i in range(4))
        self.up = nn.ConvTranspose1d(16, 5, 4, 2, 1)

    def forward(self, x):
        for step in self.steps:
            x = nn.functional.leaky_relu(step(x), 0.1)
        return self.up(x)


def networks():
    """Name to (how to make it, how to make samples)."""
    t, models = transformers, torchvision.models
    made = {name: (lambda name=name: getattr(models, name)(weights=None), images(224 if name in LARGE else 64)) for name in CLASSIFIERS}
    made["maxvit_t"] = lambda: models.maxvit_t(weights=None), images(224)
    made["vit_b_32"] = lambda: models.vit_b_32(weights=None, image_size=64), images(64)
    for name in ("deeplabv3_mobilenet_v3_large", "lraspp_mobilenet_v3_large", "fcn_resnet50"):
        made[name] = (lambda name=name: getattr(models.segmentation, name)(weights=None, weights_backbone=None, num_classes=5),
                      images(64))
    made["r3d_18"] = lambda: models.video.r3d_18(weights=None), lambda batch: torch.randn(batch, 3, 4, 32, 32)

    def language(name, kind, config, samples=tokens):
        made[name] = lambda: First(kind(config)), samples

    language("bert", t.BertForSequenceClassification, t.BertConfig(**WORDS))
    language("distilbert", t.DistilBertForSequenceClassification,
             t.DistilBertConfig(dim=32, n_layers=2, n_heads=4, hidden_dim=64, vocab_size=100))
    language("roberta", t.RobertaForSequenceClassification, t.RobertaConfig(**WORDS))
    language("deberta", t.DebertaV2ForSequenceClassification, t.DebertaV2Config(**WORDS))
    language("albert", t.AlbertForSequenceClassification, t.AlbertConfig(embedding_size=16, **WORDS))
    language("electra", t.ElectraForSequenceClassification, t.ElectraConfig(**WORDS))
    for name in ("Llama", "Mistral", "Qwen2"):
        language(name.lower(), getattr(t, name + "ForCausalLM"), getattr(t, name + "Config")(num_key_value_heads=2, **CACHED))
    language("gemma", t.GemmaForCausalLM, t.GemmaConfig(num_key_value_heads=2, head_dim=8, **CACHED))
    language("phi", t.PhiForCausalLM, t.PhiConfig(**CACHED))
    language("gptneox", t.GPTNeoXForCausalLM, t.GPTNeoXConfig(**CACHED))
    language("opt", t.OPTForCausalLM, t.OPTConfig(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, ffn_dim=64,
                                                 vocab_size=100, word_embed_proj_dim=32, use_cache=False))
    language("bloom", t.BloomForCausalLM, t.BloomConfig(hidden_size=32, n_layer=2, n_head=4, vocab_size=100, use_cache=False))
    language("mamba", t.MambaForCausalLM, t.MambaConfig(hidden_size=32, num_hidden_layers=2, vocab_size=100, state_size=4,
                                                       use_cache=False))
    language("t5 encoder", t.T5EncoderModel, t.T5Config(d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4, vocab_size=100))
    whisper = t.WhisperConfig(d_model=32, encoder_layers=2, encoder_attention_heads=4, encoder_ffn_dim=64,
                              max_source_positions=20, num_mel_bins=16)
    language("whisper encoder", t.models.whisper.modeling_whisper.WhisperEncoder, whisper,
             lambda batch: torch.randn(batch, 16, 40))
    language("wav2vec2", t.Wav2Vec2ForCTC, t.Wav2Vec2Config(**SPEECH), lambda batch: torch.randn(batch, 400))
    language("hubert", t.HubertForCTC, t.HubertConfig(**SPEECH), lambda batch: torch.randn(batch, 400))
    for name in ("ViT", "DeiT"):
        language("transformers " + name, getattr(t, name + "ForImageClassification"),
                 getattr(t, name + "Config")(image_size=32, patch_size=8, **SIZES), images(32))
    language("beit", t.BeitForImageClassification,
             t.BeitConfig(image_size=32, patch_size=8, out_indices=[1], **SIZES), images(32))
    language("dinov2", t.Dinov2ForImageClassification,
             t.Dinov2Config(image_size=32, patch_size=8, hidden_size=32, num_hidden_layers=2, num_attention_heads=4), images(32))
    language("segformer", t.SegformerForSemanticSegmentation,
             t.SegformerConfig(hidden_sizes=[16, 16, 32, 32], depths=[1, 1, 1, 1], num_attention_heads=[1, 2, 2, 4],
                               decoder_hidden_size=32), images(64))
    language("clip vision", t.CLIPVisionModel, t.CLIPVisionConfig(image_size=32, patch_size=8, **SIZES), images(32))
    language("convnextv2", t.ConvNextV2ForImageClassification,
             t.ConvNextV2Config(hidden_sizes=[16, 16, 32, 32], depths=[1, 1, 1, 1]), images(64))
    made["lstm"] = lambda: Recurrent(nn.LSTM), tokens
    made["gru"] = lambda: Recurrent(nn.GRU), tokens
    made["speech"] = Speech, lambda batch: torch.randn(batch, 1, 64)
    encoder = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)
    made["encoder"] = (lambda: nn.TransformerEncoder(encoder, 2, enable_nested_tensor=False),
                       lambda batch: torch.randn(batch, 9, 32))
    return made


def make(maker):
    torch.manual_seed(1)
    network = maker().eval()
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    return network


def first_tensor(output):
    while not torch.is_tensor(output):
        output = next(iter(output.values())) if isinstance(output, dict) else output[0]
    return output


def layer_names(network):
    """Of the modules that surely have a product."""
    kinds = (nn.Linear, nn.modules.conv._ConvNd)
    return {name for name, module in network.named_modules() if isinstance(module, kinds)}
