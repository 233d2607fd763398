"""Archives of torch.export of networks that people have, against PyTorch: largest difference of the output, relative to its
largest value, and the names of the layers. usage: exported.py BITPLAN FOLDER [NAME ...], with torchvision and transformers."""

import json
import pathlib
import subprocess
import sys
import warnings

import torch
import torchvision
import transformers
from torch import nn

warnings.filterwarnings("ignore")
CLASSIFIERS = """alexnet vgg11_bn resnet18 resnext50_32x4d squeezenet1_1 densenet121 googlenet mobilenet_v2 mobilenet_v3_small
mnasnet0_5 shufflenet_v2_x0_5 efficientnet_b0 regnet_y_400mf convnext_tiny swin_t swin_v2_t""".split()
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
    made = {name: (lambda name=name: getattr(models, name)(weights=None), images(64)) for name in CLASSIFIERS}
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


def check(tool, folder, network, archive, samples):
    """The largest relative difference, and layers that are not called as their modules are."""
    quantized, inspected = folder / "float.pt", folder / "inspected.json"
    options = ["--output", "0"] if isinstance(network(samples), dict) else []
    subprocess.run([tool, "quantize", archive, "--weight-bits", "32", "--activation-bits", "32", "--output-correction", "none",
                    "--memory", "8GiB", "--out", quantized, *options], check=True, capture_output=True, text=True)
    shape = ",".join(str(size) for size in samples.shape[1:])
    subprocess.run([tool, "inspect", archive, "--input", shape if samples.is_floating_point() else shape + ":int64",
                    "--memory", "8GiB", "--json", inspected, *options], check=True, capture_output=True, text=True)
    expected, given = first_tensor(network(samples)), first_tensor(torch.jit.load(quantized)(samples))
    names = {layer["name"] for layer in json.loads(inspected.read_text())["layers"]}
    return float((given - expected).abs().max() / expected.abs().max()), names


@torch.no_grad()
def main():
    tool, folder, wanted = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3:]
    worst, archives, failed = 0.0, 0, []
    print(f"torch {torch.__version__}, torchvision {torchvision.__version__}, transformers {transformers.__version__}")
    print(f"{'network':30} {'plain':>8} {'decomposed':>10}  layers called as modules")
    for name, (maker, samples) in networks().items():
        if wanted and name not in wanted:
            continue
        network = make(maker)
        program = torch.export.export(network, (samples(2),), dynamic_shapes=({0: torch.export.Dim.AUTO},))
        row, modules = [], layer_names(network)
        for form in (program, program.run_decompositions()):
            torch.export.save(form, folder / "network.pt2")
            try:
                difference, names = check(tool, folder, network, folder / "network.pt2", samples(3))
            except subprocess.CalledProcessError as error:
                failed.append(f"{name}: {error.stderr.strip()}")
                row += ["failed", "-"]
                continue
            worst, archives = max(worst, difference), archives + 1
            row += [f"{difference:.1e}", f"{len(modules & names)}/{len(modules)}"]
        print(f"{name:30} {row[0]:>8} {row[2]:>10}  {row[1]} {row[3]}", flush=True)
    print(f"{archives} archives, largest difference {worst:.1e}")
    print("\n".join(failed))
    sys.exit(bool(failed) or worst > 1e-5)


main()
