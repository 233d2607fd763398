"""Forwards that write in place and grow lists, each beside the plain spelling of the same."""

from typing import Dict, List

import torch
from torch import nn
from torch.nn import functional as F

from .case import Case
from .convolutions import randomize_statistics


class Residual(nn.Module):
    """The most common spelling there is: activations in place, and the sum as well."""

    def __init__(self, inplace: bool = True):
        super().__init__()
        self.a = nn.Conv2d(2, 4, 3, padding=1)
        self.bn = nn.BatchNorm2d(4)
        self.b = nn.Conv2d(4, 4, 3, padding=1)
        self.c = nn.Conv2d(4, 4, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(4)
        self.act = nn.ReLU(inplace)
        self.drop = nn.Dropout(0.5, inplace)
        self.fc = nn.Linear(4, 3)

    def forward(self, x):
        x = self.act(self.bn(self.a(x)))
        y = self.bn2(self.c(self.act(self.b(x))))
        y += x
        y = self.drop(self.act(y))
        return self.fc(y.mean([2, 3]))


class PlainResidual(Residual):
    def __init__(self):
        super().__init__(False)

    def forward(self, x):
        x = self.act(self.bn(self.a(x)))
        y = self.bn2(self.c(self.act(self.b(x))))
        y = y + x
        y = self.drop(self.act(y))
        return self.fc(y.mean([2, 3]))


class Activations(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(4, 5)
        self.fc2 = nn.Linear(5, 5)
        self.fc3 = nn.Linear(5, 5)
        self.scale = nn.Parameter(torch.rand(5) + 0.5)

    def forward(self, x):
        a = self.fc1(x)
        a.sigmoid_().mul_(2.0)
        b = F.hardswish(self.fc2(a), inplace=True)
        b.sub_(a, alpha=0.5)
        F.silu(b, inplace=True)
        c = self.fc3(b)
        F.leaky_relu(c, 0.2, inplace=True)
        c.div_(self.scale).add_(b).addcmul_(a, b, value=0.3)
        c.clamp_(-2.0, 1.5)
        F.elu(c, inplace=True)
        c.tanh_()
        return c.exp_()


class PlainActivations(Activations):
    def forward(self, x):
        a = torch.sigmoid(self.fc1(x)) * 2.0
        b = F.hardswish(self.fc2(a))
        b = F.silu(torch.sub(b, a, alpha=0.5))
        c = F.leaky_relu(self.fc3(b), 0.2)
        c = torch.addcmul(c / self.scale + b, a, b, value=0.3)
        return torch.exp(torch.tanh(F.elu(torch.clamp(c, -2.0, 1.5))))


class Decoder(nn.Module):
    """A detection head that decodes in place."""

    def __init__(self):
        super().__init__()
        self.c = nn.Conv2d(2, 4, 3, stride=2, padding=1)
        self.h = nn.Conv2d(4, 10, 1)

    def forward(self, x):
        t = self.h(F.silu(self.c(x)))
        b, _, h, w = t.shape
        y = t.view(b, 2, 5, h, w).permute(0, 1, 3, 4, 2).contiguous().sigmoid()
        y[..., 0:2] = y[..., 0:2] * 2.0 - 0.5
        y[..., 2:4] = (y[..., 2:4] * 2) ** 2
        return y.view(b, -1, 5)


class PlainDecoder(Decoder):
    def forward(self, x):
        t = self.h(F.silu(self.c(x)))
        b, _, h, w = t.shape
        y = t.view(b, 2, 5, h, w).permute(0, 1, 3, 4, 2).contiguous().sigmoid()
        y = torch.cat([y[..., 0:2] * 2.0 - 0.5, (y[..., 2:4] * 2) ** 2, y[..., 4:]], -1)
        return y.reshape(b, -1, 5)


class Views(nn.Module):
    """What is written to one view is read through others."""

    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(4, 6)
        self.fc2 = nn.Linear(6, 6)

    def forward(self, x):
        y = self.fc1(x)
        grid = y.view(-1, 2, 3)
        turned = grid.transpose(1, 2)
        first = y[:, 0]
        y.mul_(2.0)  # all of them see it
        turned[:, 1].add_(first.unsqueeze(1))
        a, b = y[:, :3], y[:, 3:]
        b.tanh_()
        y[:, ::2] *= 0.5
        grid.permute(2, 0, 1)[-1].relu_()
        y.unsqueeze(1).squeeze(1).narrow(1, 1, 2).sub_(0.25)
        torch.diagonal(grid, 0, 1, 2).add_(1.0)
        return self.fc2(y) + a.sum(1, keepdim=True) + turned.flatten(1) * first.unsqueeze(1)


class PlainViews(Views):
    def forward(self, x):
        y0, y1, y2, y3, y4, y5 = (self.fc1(x) * 2.0).unbind(1)
        y1, y4 = y1 + y0, y4 + y0
        y3, y4, y5 = torch.tanh(y3), torch.tanh(y4), torch.tanh(y5)
        y0, y2, y4 = y0 * 0.5, y2 * 0.5, y4 * 0.5
        y2, y5 = torch.relu(y2), torch.relu(y5)
        y1, y2 = y1 - 0.25, y2 - 0.25
        y0, y4 = y0 + 1.0, y4 + 1.0
        y = torch.stack([y0, y1, y2, y3, y4, y5], 1)
        turned = torch.stack([y0, y3, y1, y4, y2, y5], 1)
        return self.fc2(y) + (y0 + y1 + y2).unsqueeze(1) + turned * y0.unsqueeze(1)


class Parts(nn.Module):
    """Writes to one of several parts, which autograd itself refuses."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 6)

    def forward(self, x):
        y = self.fc(x)
        a, b, c = y.chunk(3, 1)
        b.sigmoid_()
        y.split(2, 1)[2].mul_(a)
        y.unbind(1)[0].add_(1.0)
        return torch.cat([y, a * b * c], 1)


class PlainParts(Parts):
    def forward(self, x):
        a, b, c = self.fc(x).chunk(3, 1)
        b, c = torch.sigmoid(b), c * a
        a = torch.stack([a[:, 0] + 1.0, a[:, 1]], 1)
        return torch.cat([a, b, c, a * b * c], 1)


class Fills(nn.Module):
    """Writes of numbers, of other tensors and types, at positions and under masks."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4)
        self.register_buffer("order", torch.tensor([2, 0]))
        self.register_buffer("mask", torch.tensor([True, False, False, True]))

    def forward(self, x):
        y = self.fc(x)
        z = torch.zeros_like(y)
        z.copy_(y[:1])
        z[:, 1] = 3
        z[:, self.order] = y[:, 2:] * 2.0
        w = y * 1.0
        w.masked_fill_(self.mask, 0.5)
        w[:, 0].zero_()
        w[:, 3:].fill_(0.75)
        w.index_add_(1, self.order, y[:, :2])
        counts = torch.zeros_like(w)
        counts += self.order.sum()
        counts.copy_(self.mask)
        w[w > 1.0] = -1.0
        return torch.cat([z, w, counts], 1)


class PlainFills(Fills):
    def forward(self, x):
        y = self.fc(x)
        first = y[:1].expand_as(y)
        z = torch.stack([y[:, 3] * 2.0, first[:, 0] * 0 + 3, y[:, 2] * 2.0, first[:, 3]], 1)
        zero = y[:, 0] * 0
        w = torch.stack([zero + y[:, 1], y[:, 1], y[:, 2] + y[:, 0], zero + 0.75], 1)
        counts = self.mask.to(y.dtype).expand_as(y)
        w = torch.where(w > 1.0, torch.full_like(w, -1.0), w)
        return torch.cat([z, w, counts], 1)


class Lists(nn.Module):
    """A pyramid: lists that begin empty and grow at both ends, and a dense block."""

    def __init__(self):
        super().__init__()
        self.a = nn.Conv2d(2, 3, 3, padding=1)
        self.b = nn.Conv2d(3, 3, 3, padding=1)
        self.dense1 = nn.Conv2d(6, 2, 1)
        self.dense2 = nn.Conv2d(8, 2, 1)

    def forward(self, x):
        outs: List[torch.Tensor] = []
        a = F.relu(self.a(x))
        outs.append(a)
        outs.append(F.relu(self.b(outs[-1])))
        results: List[torch.Tensor] = []
        for i in range(len(outs)):
            results.insert(0, outs[i] * float(i + 1))
        results[0] = results[0] + outs[0]
        features = [torch.cat(results, 1)]
        features.append(self.dense1(torch.cat(features, 1)))
        features += [self.dense2(torch.cat(features, 1))]
        features.reverse()
        features[0].relu_()
        return torch.cat(features, 1)


class PlainLists(Lists):
    def forward(self, x):
        a = F.relu(self.a(x))
        b = F.relu(self.b(a))
        c = torch.cat([b * 2.0 + a, a * 1.0], 1)
        d = self.dense1(c)
        return torch.cat([torch.relu(self.dense2(torch.cat([c, d], 1))), d, c], 1)


class Dicts(nn.Module):
    """Features by name: a dict that grows and is written over, read by key, in a loop, by its values."""

    def __init__(self):
        super().__init__()
        self.a = nn.Conv2d(2, 3, 3, padding=1)
        self.b = nn.Conv2d(3, 3, 3, padding=1)
        self.c = nn.Conv2d(3, 3, 1)
        self.d = nn.Conv2d(6, 2, 1)

    def forward(self, x):
        features: Dict[str, torch.Tensor] = {"res1": F.relu(self.a(x))}
        features["res2"] = F.relu(self.b(features["res1"])) + features["res1"]
        if "res3" not in features and len(features) == 2:
            features["res1"] = F.relu(self.c(features["res1"]))
        outs: List[torch.Tensor] = []
        for name in ["res1", "res2"]:
            outs.append(features[name])
        outs += features.values()
        return self.d(torch.cat([outs[3], outs[0]], 1))


class PlainDicts(Dicts):
    def forward(self, x):
        a = F.relu(self.a(x))
        b = F.relu(self.b(a)) + a
        return self.d(torch.cat([b, F.relu(self.c(a))], 1))


class Loop(nn.Module):
    """Writes in loops and branches to what was made outside of them."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 3)
        self.head = nn.Linear(3, 3)

    def forward(self, x):
        out = torch.zeros_like(x)
        state = x[:, 0] * 0.5
        total = out[:, 0] + 0.0
        for t in range(x.size(1)):
            state = torch.tanh(self.fc(x[:, t]) + state)
            out[:, t] = state
            if t % 2 == 1:
                total.add_(out[:, t - 1])
                out[:, 0].mul_(0.5)
            total.mul_(0.9)
        return self.head(out) + total.unsqueeze(1)


class PlainLoop(Loop):
    def forward(self, x):
        state = x[:, 0] * 0.5
        total = state * 0.0
        first = total
        outs: List[torch.Tensor] = []
        for t in range(x.size(1)):
            state = torch.tanh(self.fc(x[:, t]) + state)
            if t == 0:
                first = state
            else:
                outs = outs + [state]
            if t % 2 == 1:
                total = total + (first if t == 1 else outs[t - 2])
                first = first * 0.5
            total = total * 0.9
        return self.head(torch.stack([first] + outs, 1)) + total.unsqueeze(1)


class Reshaped(nn.Module):
    """Tensors that are given another shape in place."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4)

    def forward(self, x):
        y = self.fc(x)
        y.relu_().unsqueeze_(1)
        z = y * 2.0
        z.squeeze_(1).t_()
        y.add_(1.0)
        return z.t() + y.squeeze(1)


class PlainReshaped(Reshaped):
    def forward(self, x):
        y = torch.relu(self.fc(x)).unsqueeze(1)
        z = (y * 2.0).squeeze(1).t()
        return z.t() + (y + 1.0).squeeze(1)


class MayBeCopied(nn.Module):
    """Whether what is written to is read again depends on how the tensors lie in memory."""

    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(4, 4)
        self.fc2 = nn.Linear(4, 4)

    def forward(self, x):
        y = torch.sigmoid(self.fc1(x))
        z = y.reshape(-1)
        z.mul_(2.0)
        w = y.t().reshape(-1)
        w.sub_(1.0)
        return self.fc2(y) + w.view(4, -1).t()


class KeptInList(nn.Module):
    """Writes to what lies in a list whose length the data give."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 3)

    def forward(self, x):
        seen: List[torch.Tensor] = []
        for t in range(x.size(1)):
            y = self.fc(x[:, t])
            seen.append(y)
            y.mul_(0.5)
        seen[0].add_(1.0)
        return torch.stack(seen, 1)


def pair(name, model, plain, inputs, kinds=("scripted", "traced"), **more):
    plain.load_state_dict(model.state_dict())
    return Case(name, model, inputs, plain=plain.eval(), kinds=kinds + ("plain",), visits=False, derivatives=True, **more)


def cases():
    images, rows, sequence = torch.randn(2, 2, 6, 6), torch.randn(5, 4), torch.randn(2, 5, 3)
    scripted = ("scripted",)
    yield pair("in_place_residual", randomize_statistics(Residual()), PlainResidual(), [images], batch_norms=(2, 0))
    yield pair("in_place_activations", Activations(), PlainActivations(), [rows])
    yield pair("in_place_decoder", Decoder(), PlainDecoder(), [images])
    yield pair("in_place_views", Views(), PlainViews(), [rows])
    yield pair("in_place_parts", Parts(), PlainParts(), [rows], counted=False)
    yield pair("in_place_fills", Fills(), PlainFills(), [rows])
    yield pair("in_place_lists", Lists(), PlainLists(), [images])
    yield pair("in_place_loop", Loop(), PlainLoop(), [sequence], kinds=scripted)
    yield pair("in_place_reshaped", Reshaped(), PlainReshaped(), [rows])
    yield Case("in_place_may_be_copied", MayBeCopied(), [rows], visits=False)
    yield Case("in_place_kept_in_list", KeptInList(), [sequence], visits=False, kinds=scripted)
    yield pair("in_place_dicts", Dicts(), PlainDicts(), [images])
