"""Trains four tiny networks of the kinds that are no classifiers, and writes each with its samples, a loss and a metric:
NAME.pt, NAME.npz, NAME_loss.pt, NAME_metric.pt. Takes a minute. Needs PyTorch 2.6 or later, and NumPy."""

import io
import pathlib
import zipfile

import numpy
import torch
from torch import nn

HERE = pathlib.Path(__file__).parent


class Detector(nn.Module):
    """Images [N, 1, 16, 16] in 4 x 4 cells: of each cell a box (left, top, right, bottom, in pixels) and the logits of
    background, square and frame."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(24, 24, 3, padding=1), nn.ReLU(),
        )  # fmt: skip
        self.box = nn.Conv2d(24, 4, 1)
        self.score = nn.Conv2d(24, 3, 1)

    def forward(self, x):
        features = self.body(x)
        return {
            "boxes": 8 + 8 * self.box(features).flatten(2).transpose(1, 2),
            "scores": self.score(features).flatten(2).transpose(1, 2),
        }


class DetectorLoss(nn.Module):
    """Labels [N, 16, 5]: of each cell the class and the box. Boxes count in cells with an object."""

    def forward(self, boxes, scores, labels):
        classes = labels[:, :, 0].long()
        right = nn.functional.cross_entropy(scores.transpose(1, 2), classes, reduction="none").mean(1)
        is_object = (classes > 0).to(boxes.dtype)
        apart = nn.functional.smooth_l1_loss(boxes, labels[:, :, 1:].to(boxes.dtype), reduction="none").mean(2)
        return right + 0.1 * (apart * is_object).sum(1) / is_object.sum(1).clamp(min=1.0)


class DetectorMetric(nn.Module):
    """Mean over the objects of the overlap (intersection over union) of their boxes, 0 where the class is wrong."""

    def forward(self, boxes, scores, labels):
        classes, wanted = labels[:, :, 0].long(), labels[:, :, 1:]
        inner = (torch.min(boxes[:, :, 2:], wanted[:, :, 2:]) - torch.max(boxes[:, :, :2], wanted[:, :, :2])).clamp(min=0)
        shared = inner[:, :, 0] * inner[:, :, 1]
        area = (boxes[:, :, 2:] - boxes[:, :, :2]).clamp(min=0).prod(2) + (wanted[:, :, 2:] - wanted[:, :, :2]).prod(2)
        found = (scores.argmax(2) == classes) & (classes > 0)
        overlap = shared / (area - shared).clamp(min=1e-6) * found
        return overlap.sum(1) / (classes > 0).sum(1).clamp(min=1)


def detector_samples(count):
    images, labels = 0.2 * torch.randn(count, 1, 16, 16), torch.zeros(count, 16, 5)
    for n in range(count):
        for quadrant in torch.randperm(4)[: 1 + n % 2].tolist():
            row, column = 8 * (quadrant // 2), 8 * (quadrant % 2)
            height, width = torch.randint(4, 8, (2,)).tolist()
            top, left = row + int(torch.randint(8 - height + 1, (1,))), column + int(torch.randint(8 - width + 1, (1,)))
            kind = int(torch.randint(1, 3, (1,)))
            images[n, 0, top : top + height, left : left + width] += 1
            if kind == 2:
                images[n, 0, top + 1 : top + height - 1, left + 1 : left + width - 1] -= 1
            cell = (top + height // 2) // 4 * 4 + (left + width // 2) // 4
            labels[n, cell] = torch.tensor([kind, left, top, left + width, top + height])
    return images, labels


class Segmenter(nn.Module):
    """Images [N, 1, 16, 16]: logits of three classes for every pixel, and those of an auxiliary head."""

    def __init__(self):
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.Conv2d(12, 16, 3, padding=1), nn.ReLU())
        self.aux = nn.Conv2d(16, 3, 1)
        self.up = nn.Sequential(nn.Conv2d(16, 16, 3, padding=2, dilation=2), nn.ReLU(), nn.Conv2d(16, 3, 1))

    def forward(self, x):
        features = self.down(x)
        return {"out": self.up(features), "aux": self.aux(features)}


class SegmenterLoss(nn.Module):
    """Labels [N, 16, 16]; pixels of label 255 do not count."""

    def forward(self, out, aux, labels):
        counts = (labels != 255).to(out.dtype)
        classes = torch.where(labels != 255, labels, torch.zeros_like(labels))
        of_out = nn.functional.cross_entropy(out, classes, reduction="none") * counts
        of_aux = nn.functional.cross_entropy(aux, classes, reduction="none") * counts
        return (of_out + 0.4 * of_aux).sum((1, 2)) / counts.sum((1, 2)).clamp(min=1.0)


class SegmenterMetric(nn.Module):
    """Mean over the classes of intersection over union, of the pixels that count; takes one of the outputs."""

    def forward(self, out, labels):
        found, counts = out.argmax(1), labels != 255
        total = torch.zeros([out.size(0)], dtype=out.dtype)
        for each in range(out.size(1)):
            own, wanted = (found == each) & counts, (labels == each) & counts
            shared, union = (own & wanted).sum((1, 2)), (own | wanted).sum((1, 2))
            total = total + torch.where(union > 0, shared / union.clamp(min=1), torch.ones_like(total))
        return total / out.size(1)


def segmenter_samples(count):
    images, labels = detector_samples(count)
    masks = torch.zeros(count, 16, 16, dtype=torch.long)
    for n in range(count):
        for kind, left, top, right, bottom in labels[n].long().tolist():
            if kind:
                masks[n, top:bottom, left:right] = kind
    masks[:, 0] = 255  # as edges are that nobody has judged
    return images, masks


class Regressor(nn.Module):
    """Six numbers to a mean and the logarithm of a variance, [N, 1] each."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(6, 32), nn.GELU(), nn.Linear(32, 32), nn.GELU())
        self.mean = nn.Linear(32, 1)
        self.spread = nn.Linear(32, 1)

    def forward(self, x):
        features = self.body(x)
        return self.mean(features), self.spread(features)


class RegressorLoss(nn.Module):
    """What is minus the logarithm of a normal density, but for a constant. A tuple's outputs come in their order."""

    def forward(self, mean, log_variance, labels):
        off = mean.squeeze(1) - labels.to(mean.dtype)
        return (off * off * torch.exp(-log_variance.squeeze(1)) + log_variance.squeeze(1)) / 2


class RegressorMetric(nn.Module):
    def forward(self, mean, log_variance, labels):
        return (mean.squeeze(1) - labels).abs()


def regressor_samples(count):
    x = torch.randn(count, 6)
    mean = x[:, 0] * x[:, 1] + torch.sin(2 * x[:, 2]) + 0.5 * x[:, 3]
    return x, mean + 0.1 * (1 + x[:, 4].abs()) * torch.randn(count)


class Speech(nn.Module):
    """Frames [N, 12, 8] to the logits of a blank and four sounds for every frame, and the state after the last."""

    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(8, 24, batch_first=True)
        self.sound = nn.Linear(24, 5)

    def forward(self, x):
        features, state = self.gru(x)
        return {"sounds": self.sound(features), "state": state.transpose(0, 1)}


class SpeechLoss(nn.Module):
    """Connectionist temporal classification (Graves et al. 2006), labels [N, 3]. Written out, since torch.ctc_loss has no
    second derivative, which curvature is made of."""

    def forward(self, sounds, labels):
        log_p = sounds.log_softmax(2)
        batch, length = labels.size(0), 2 * labels.size(1) + 1
        path = torch.zeros([batch, length], dtype=torch.long)
        path[:, 1::2] = labels
        skips = torch.zeros([batch, length], dtype=torch.bool)
        skips[:, 2:] = (path[:, 2:] != 0) & (path[:, 2:] != path[:, :-2])
        never = torch.full([batch, length], -1e4, dtype=log_p.dtype)
        alpha = torch.cat([log_p[:, 0].gather(1, path[:, :2]), never[:, 2:]], 1)
        for t in range(1, log_p.size(1)):
            one = torch.cat([never[:, :1], alpha[:, :-1]], 1)
            two = torch.where(skips, torch.cat([never[:, :2], alpha[:, :-2]], 1), never)
            alpha = torch.logsumexp(torch.stack([alpha, one, two]), 0) + log_p[:, t].gather(1, path)
        return -torch.logaddexp(alpha[:, -1], alpha[:, -2])


class SpeechMetric(nn.Module):
    """1 where the likeliest sounds, repetitions and blanks left out, are the label's."""

    def forward(self, sounds, labels):
        best = sounds.argmax(2)
        before = torch.cat([torch.zeros_like(best[:, :1]), best[:, :-1]], 1)
        heard = (best != 0) & (best != before)
        place = torch.where(heard, heard.long().cumsum(1), torch.zeros_like(best)).clamp(max=labels.size(1))
        said = torch.zeros([best.size(0), labels.size(1) + 1], dtype=torch.long).scatter(1, place, best)
        return ((said[:, 1:] == labels).all(1) & (heard.sum(1) == labels.size(1))).to(sounds.dtype)


def speech_samples(count):
    voices = torch.eye(8)[:4] * 2
    labels = torch.randint(1, 5, (count, 3))
    x = 0.3 * torch.randn(count, 12, 8)
    for n in range(count):
        starts = torch.tensor([0, 4, 8]) + torch.randint(2, (3,))
        for start, sound in zip(starts.tolist(), labels[n].tolist()):
            x[n, start : start + 2 + int(torch.randint(2, (1,)))] += voices[sound - 1]
    return x, labels


def save(module, name):
    """Without the debug records, which hold the paths of the machine that the file was made on."""
    buffer = io.BytesIO()
    torch.jit.save(torch.jit.script(module), buffer)
    with zipfile.ZipFile(buffer) as full, zipfile.ZipFile(HERE / name, "w") as small:
        for record in full.infolist():
            if not record.filename.endswith(".debug_pkl"):
                small.writestr(zipfile.ZipInfo(record.filename), full.read(record), zipfile.ZIP_DEFLATED, 9)


def write(name, model, loss, metric, samples, steps):
    torch.manual_seed(1)
    x, labels = samples(1024)
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    for step in range(steps):
        some = torch.randint(1024, (64,))
        output = model(x[some])
        outputs = list(output.values()) if isinstance(output, dict) else list(output)
        if name == "speech":
            outputs = outputs[:1]  # the loss takes one of them
        value = loss(*outputs, labels[some]).mean()
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
    print(name, value.item())
    model.eval()
    save(model, f"{name}.pt")
    save(loss, f"{name}_loss.pt")
    save(metric, f"{name}_metric.pt")
    x, labels = samples(64)
    numpy.savez_compressed(HERE / f"{name}.npz", x=x.numpy(), labels=labels.numpy())


torch.manual_seed(0)
write("detector", Detector(), DetectorLoss(), DetectorMetric(), detector_samples, 1000)
write("segmenter", Segmenter(), SegmenterLoss(), SegmenterMetric(), segmenter_samples, 500)
write("regressor", Regressor(), RegressorLoss(), RegressorMetric(), regressor_samples, 1500)
write("speech", Speech(), SpeechLoss(), SpeechMetric(), speech_samples, 400)
