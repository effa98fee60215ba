"""Makes the goldens: small nets in PyTorch, their outputs, every gradient and ten steps of training.

    /usr/bin/python3 test/goldens/make.py               all of them
    /usr/bin/python3 test/goldens/make.py normalized    those named

Everything is stored in the layouts of im2row: images NHWC, filters HWIO ([kh, kw, c / groups, f], and those of a
transposed convolution as of the one that it transposes), dense kernels [in, out], and flatten in the order of NHWC.
README.md beside this file lists the tensors.
"""

import copy
import json
import struct
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

LEARNING_RATE = 0.05
MOMENTUM = 0.9
STEPS = 10
HERE = Path(__file__).resolve().parent


class LeNet5(nn.Module):
    """28×28×1 → conv 6 5×5 same → pool → conv 16 5×5 valid → pool → dense 120 → dense 84 → dense 10."""

    def __init__(self):
        super().__init__()
        self.conv2d = nn.Conv2d(1, 6, 5, padding=2)
        self.conv2d_1 = nn.Conv2d(6, 16, 5)
        self.dense = nn.Linear(400, 120)
        self.dense_1 = nn.Linear(120, 84)
        self.dense_2 = nn.Linear(84, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv2d(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2d_1(x)), 2)
        x = flatten_nhwc(x)
        return self.dense_2(F.relu(self.dense_1(F.relu(self.dense(x)))))


class Strided(nn.Module):
    """13×11×4 through a strided, a dilated and a grouped convolution, the last two with windows that are not square."""

    def __init__(self):
        super().__init__()
        # F.pad counts from the last axis: left, right, top, bottom.
        self.conv2d = nn.Conv2d(4, 8, 3, stride=2)
        self.conv2d_1 = nn.Conv2d(8, 12, (3, 2), dilation=(2, 1), groups=4)
        self.conv2d_2 = nn.Conv2d(12, 6, (2, 3), stride=(1, 2), groups=2)
        self.dense = nn.Linear(5 * 2 * 6, 5)

    def forward(self, x):
        x = torch.tanh(self.conv2d(F.pad(x, (2, 1, 1, 0))))  # 14×14 → 6×6×8
        x = F.leaky_relu(self.conv2d_1(F.pad(x, (0, 1, 2, 2))), 0.1)  # "same": 10×7 → 6×6×12
        x = torch.sigmoid(self.conv2d_2(x))  # 5×2×6
        return self.dense(flatten_nhwc(x))


class Separable(nn.Module):
    def __init__(self):
        super().__init__()
        self.depthwise = nn.Conv2d(6, 12, 3, stride=2, padding=1, groups=6, bias=False)
        self.pointwise = nn.Conv2d(12, 8, 1)

    def forward(self, x):
        return self.pointwise(self.depthwise(x))


class Hourglass(nn.Module):
    """12×10×6 shrunk by a separable convolution, gated, grown again, and read as a sequence of its columns."""

    def __init__(self):
        super().__init__()
        self.separableConv2d = Separable()
        self.prelu = nn.PReLU(8)
        self.gate = nn.Linear(8, 8)
        self.conv2dTranspose = nn.ConvTranspose2d(8, 6, 3, stride=2, padding=1, output_padding=1)
        self.conv2dTranspose_1 = nn.ConvTranspose2d(14, 16, 3, padding=1, groups=2)
        self.conv1d = nn.Conv1d(192, 5, 3, dilation=2)
        self.kind = nn.Linear(15, 4)

    def forward(self, x):
        x = self.prelu(torch.tanh(self.separableConv2d(x)))  # 6×5×8
        means = x.mean((2, 3))
        x = x * torch.sigmoid(self.gate(means))[:, :, None, None] + means[:, :, None, None]
        grown = torch.tanh(self.conv2dTranspose(x))  # 12×10×6
        tall = F.interpolate(x, scale_factor=(2, 1), mode="nearest")
        smooth = F.interpolate(tall, scale_factor=(1, 2), mode="bilinear", align_corners=False)
        x = F.leaky_relu(self.conv2dTranspose_1(torch.cat([grown, smooth], 1)), 0.2)  # 12×10×16
        columns = x.permute(0, 3, 2, 1).flatten(2)  # 10×192
        steps = torch.tanh(self.conv1d(F.pad(columns.transpose(1, 2), (4, 0))))  # causal; 5×10
        steps = F.avg_pool1d(F.max_pool1d(steps, 2), 3, stride=1, padding=1, count_include_pad=False)
        largest, mean = steps.amax(2), steps.mean(2)
        spread, middle = largest - mean, (largest + mean) / 2
        return self.kind(torch.cat([spread, middle, torch.maximum(spread, middle)], 1))


class Normalized(nn.Module):
    """9×8×4 through every normalization, each behind a convolution and followed by another activation."""

    def __init__(self):
        super().__init__()
        self.conv2d = nn.Conv2d(4, 8, 3, bias=False)
        # The share of the new value: 1 − ours.
        self.batchNormalization = nn.BatchNorm2d(8, eps=1e-3, momentum=0.25)
        self.conv2d_1 = nn.Conv2d(8, 12, 3)
        self.groupNormalization = nn.GroupNorm(3, 12, eps=1e-3)
        self.conv2d_2 = nn.Conv2d(12, 8, 2, bias=False)
        self.instanceNormalization = nn.InstanceNorm2d(8, eps=1e-3, affine=True)
        self.conv2d_3 = nn.Conv2d(8, 6, 1)
        self.layerNormalization = nn.LayerNorm(6, eps=1e-3)
        self.conv2d_4 = nn.Conv2d(6, 6, 2)
        self.layerNormalization_1 = nn.LayerNorm((3, 2, 6), eps=1e-3)
        self.dense = nn.Linear(36, 10)
        self.dense_1 = nn.Linear(10, 8)
        self.dense_2 = nn.Linear(8, 8)
        self.dense_3 = nn.Linear(8, 5)

    def forward(self, x):
        x = F.gelu(self.batchNormalization(self.conv2d(x)))  # 7×6×8
        x = F.silu(self.groupNormalization(self.conv2d_1(x)))  # 5×4×12
        x = F.hardswish(self.instanceNormalization(self.conv2d_2(x)))  # 4×3×8
        x = F.mish(self.conv2d_3(x))
        x = F.elu(nchw(self.layerNormalization(nhwc(x))))  # 4×3×6
        x = F.selu(self.conv2d_4(x))
        x = F.gelu(nchw(self.layerNormalization_1(nhwc(x))), approximate="tanh")  # 3×2×6
        x = F.relu6(self.dense(flatten_nhwc(x)))
        x = F.hardsigmoid(self.dense_2(F.softplus(self.dense_1(x))))
        return self.dense_3(x)


class Rearranged(nn.Module):
    """8×6×4 with kernels of a largest singular value of 1, cut into blocks and put together again, and read as a sequence of unit vectors."""

    def __init__(self):
        super().__init__()
        self.spectralNormalization = nn.Conv2d(4, 8, 3, padding=1)
        self.conv2d = nn.Conv2d(32, 12, 1)
        self.separableConv1d = Separable1d()
        self.conv1dTranspose = nn.ConvTranspose1d(6, 4, 3, stride=2, padding=1, output_padding=1)
        self.spectralNormalization_1 = nn.Linear(192, 5)

    def forward(self, x):
        x = torch.tanh(self.spectralNormalization(x))  # 8×6×8
        x = torch.tanh(self.conv2d(space_to_depth(x, 2)))  # 4×3×12
        x = depth_to_space(x, 2).flatten(2)  # 3 channels of 48 pixels
        x = F.normalize(self.separableConv1d(x), dim=1)  # 6 channels of 24
        x = torch.tanh(self.conv1dTranspose(x))  # 4 channels of 48
        return self.spectralNormalization_1(x.transpose(1, 2).flatten(1))


class Separable1d(nn.Module):
    def __init__(self):
        super().__init__()
        self.depthwise = nn.Conv1d(3, 6, 3, stride=2, padding=1, groups=3, bias=False)
        self.pointwise = nn.Conv1d(6, 6, 1)

    def forward(self, x):
        return self.pointwise(self.depthwise(x))


def space_to_depth(x, b):
    """Channels by the row in the block, the column, then the depth."""
    n, c, h, w = x.shape
    return x.reshape(n, c, h // b, b, w // b, b).permute(0, 3, 5, 1, 2, 4).reshape(n, b * b * c, h // b, w // b)


def depth_to_space(x, b):
    n, c, h, w = x.shape
    c //= b * b
    return x.reshape(n, b, b, c, h, w).permute(0, 3, 4, 1, 5, 2).reshape(n, c, h * b, w * b)


def initialize(net):
    """Weights large enough that every image, and not only the biases, moves the logits and the gradients."""
    for name, parameter in net.named_parameters():
        if "Normalization" in name and name.endswith("weight"):
            nn.init.uniform_(parameter, 0.5, 1.5)
        elif parameter.dim() > 1 and "Normalization" not in name:
            nn.init.kaiming_normal_(parameter)
        else:
            nn.init.uniform_(parameter, -0.2, 0.2)
    for name, statistic in statistics(net):
        # Other than those of any batch: inference has to read them.
        nn.init.uniform_(statistic, *((-0.2, 0.2) if name.endswith("mean") else (0.5, 1.5)))
    return net


def statistics(net):
    """The moving means and variances, and the vectors of spectral normalization, which no gradient changes."""
    return [(name, buffer) for name, buffer in net.named_buffers() if "running" in name or "spectral" in name]


def nhwc(x):
    return x.permute(0, 2, 3, 1)


def flatten_nhwc(x):
    return nhwc(x).flatten(1)


def nchw(x):
    return x.permute(0, 3, 1, 2)


def ours(name, tensor):
    """A parameter (or its gradient) of PyTorch under our name and in our layout."""
    layer, *part, kind = name.split(".")
    if layer.startswith("spectral"):
        return spectral(layer, kind, tensor)
    if "Normalization" in layer:
        kinds = {"weight": "gamma", "bias": "beta", "running_mean": "movingMean", "running_var": "movingVariance"}
        return f"{layer}.{kinds[kind]}", tensor
    if kind == "bias":
        return f"{layer}.bias", tensor
    if tensor.dim() == 1:  # slopes of the channels
        return f"{layer}.alpha", tensor.reshape(1, 1, -1)
    key = f"{layer}.{part[0]}Kernel" if part else f"{layer}.kernel"
    if tensor.dim() == 4:  # [f, c / groups, kh, kw] → HWIO
        return key, tensor.permute(2, 3, 1, 0)
    if tensor.dim() == 3:  # [f, c / groups, k] → [k, c / groups, f]
        return key, tensor.permute(2, 1, 0)
    return key, tensor.t()  # [out, in] → [in, out]


def spectral(layer, kind, tensor):
    """The same of a layer of PyTorch's `spectral_norm`. The elements of v are those of a filter, in the order of its axes."""
    if kind == "original":
        order = (2, 3, 1, 0) if tensor.dim() == 4 else (1, 0)
        return f"{layer}.kernel", tensor.permute(order)
    if kind == "_v" and tensor.numel() == 4 * 3 * 3:  # of the filters of 4×3×3
        return f"{layer}.vectorV", tensor.reshape(4, 3, 3).permute(1, 2, 0).flatten()
    names = {"_u": "vectorU", "_v": "vectorV", "bias": "bias"}
    return f"{layer}.{names[kind]}", tensor


def run(net, x, labels):
    """Forward, backward, then STEPS steps of SGD on the same batch. Each loss is taken before its update."""
    results = {}
    results["logits"] = net.eval()(nchw(x))
    # A copy: the pass moves the moving statistics.
    first = copy.deepcopy(net).train()
    image = x.clone().requires_grad_(True)
    F.cross_entropy(first(nchw(image)), labels).backward()
    results["gradients/x"] = image.grad
    for name, parameter in first.named_parameters():
        key, gradient = ours(name, parameter.grad)
        results[f"gradients/{key}"] = gradient.clone()

    net.train()
    optimizer = torch.optim.SGD(net.parameters(), lr=LEARNING_RATE, momentum=MOMENTUM)
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = F.cross_entropy(net(nchw(x)), labels)
        losses.append(loss.detach())
        loss.backward()
        optimizer.step()
    results["losses"] = torch.stack(losses)
    for name, parameter in [*net.named_parameters(), *statistics(net)]:
        key, weights = ours(name, parameter)
        results[f"weights_after/{key}"] = weights.clone()
    return {name: tensor.detach() for name, tensor in results.items()}


def errors(single, double):
    """max |float32 − float64| of every tensor, then of every family (the name up to its slash)."""
    found = {}
    for name, tensor in single.items():
        error = (tensor.double() - double[name]).abs().max().item()
        family = name.split("/")[0]
        found[f"error/{name}"] = error
        found[f"error/{family}"] = max(error, found.get(f"error/{family}", 0.0))
    return {name: f"{error:.3e}" for name, error in sorted(found.items())}


def write_safetensors(path, tensors, metadata):
    header, chunks, offset = {"__metadata__": metadata}, [], 0
    for name, tensor in tensors.items():
        values = tensor.contiguous().flatten().tolist()
        chunk = struct.pack(f"<{len(values)}f", *values)
        header[name] = {
            "dtype": "F32",
            "shape": list(tensor.shape),
            "data_offsets": [offset, offset + len(chunk)],
        }
        chunks.append(chunk)
        offset += len(chunk)
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(chunks))


def make(file, net, x, labels, keep_weights_after):
    every = [*net.named_parameters(), *statistics(net)]
    weights = dict(ours(name, p.detach().clone()) for name, p in every)
    # Both runs start from the same float32 weights and images.
    double = run(copy.deepcopy(net).double(), x.double(), labels)
    single = run(net, x, labels)
    if not keep_weights_after:
        single = {name: t for name, t in single.items() if not name.startswith("weights_after/")}

    tensors = {"x": x, "labels": labels.float()}
    tensors.update({f"weights/{name}": tensor for name, tensor in weights.items()})
    tensors.update(single)
    metadata = {
        "description": " ".join(type(net).__doc__.split()),
        "loss": "mean softmax cross-entropy of the logits",
        "optimizer": f"{STEPS} steps of SGD on the one batch, learning rate {LEARNING_RATE}, momentum {MOMENTUM}: "
        "v = momentum·v + gradient, w = w − rate·v",
        "layout": "images NHWC, filters HWIO, dense kernels [in, out], flatten in the order of NHWC",
        "torch": torch.__version__,
        "error": "error/<tensor or family>: max |float32 − float64| of the same net in PyTorch",
        **errors(single, double),
    }
    write_safetensors(HERE / file, tensors, metadata)
    report(file, tensors, metadata)


def report(file, tensors, metadata):
    print(f"{file}  {(HERE / file).stat().st_size} bytes, torch {torch.__version__}")
    for name, tensor in tensors.items():
        shape = "×".join(str(size) for size in tensor.shape)
        largest = tensor.abs().max().item()
        error = metadata.get(f"error/{name}", "")
        print(f"  {name:32} {shape:12} largest {largest:.3e}  {error and 'error ' + error}")
    print("  losses", " ".join(f"{loss:.6f}" for loss in tensors["losses"].tolist()))


def lenet5():
    torch.manual_seed(1)
    return initialize(LeNet5()), torch.rand(8, 28, 28, 1), torch.randint(10, (8,)), False


def strided():
    torch.manual_seed(2)
    return initialize(Strided()), torch.randn(5, 13, 11, 4), torch.tensor([3, 0, 4, 1, 3]), True


def normalized():
    torch.manual_seed(3)
    return initialize(Normalized()), torch.randn(6, 9, 8, 4), torch.tensor([3, 0, 4, 1, 3, 2]), True


def hourglass():
    torch.manual_seed(6)
    return initialize(Hourglass()), torch.randn(2, 12, 10, 6), torch.tensor([1, 3]), True


def rearranged():
    torch.manual_seed(7)
    net = initialize(Rearranged())
    for name in ("spectralNormalization", "spectralNormalization_1"):
        setattr(net, name, nn.utils.parametrizations.spectral_norm(getattr(net, name)))
    return net, torch.randn(4, 8, 6, 4), torch.tensor([3, 0, 4, 1]), True


OPTIMIZERS = {
    "rmsprop": lambda w: torch.optim.RMSprop([w], lr=0.02, alpha=0.9, eps=1e-6),
    "rmspropMomentum": lambda w: torch.optim.RMSprop([w], lr=0.01, alpha=0.8, eps=1e-5, momentum=0.9),
    "rmspropCentered": lambda w: torch.optim.RMSprop(
        [w], lr=0.01, alpha=0.9, eps=1e-4, momentum=0.5, centered=True, weight_decay=0.1
    ),
    "adagrad": lambda w: torch.optim.Adagrad([w], lr=0.1, eps=1e-8),
    "adagradInitial": lambda w: torch.optim.Adagrad(
        [w], lr=0.05, eps=1e-6, initial_accumulator_value=0.1, weight_decay=0.1
    ),
}


def stepped(optimizer, start, gradients):
    """The weights after one step for each row of gradients."""
    weights = start.clone().requires_grad_(True)
    step = OPTIMIZERS[optimizer](weights)
    for gradient in gradients:
        weights.grad = gradient.clone()
        step.step()
    return weights.detach()


def make_optimizers():
    """Optimizers alone, on gradients that are given."""
    torch.manual_seed(19)
    tensors = {"start": torch.randn(19), "gradients": torch.randn(STEPS, 19)}
    single = {name: stepped(name, *tensors.values()) for name in OPTIMIZERS}
    double = {name: stepped(name, *(t.double() for t in tensors.values())) for name in OPTIMIZERS}
    metadata = {
        "description": "The weights after a step of an optimizer for each row of gradients; make.py has its options",
        "torch": torch.__version__,
        **{f"error/{name}": f"{(single[name] - double[name]).abs().max().item():.3e}" for name in single},
    }
    write_safetensors(HERE / "optimizers.safetensors", {**tensors, **single}, metadata)


def main():
    torch.set_num_threads(1)
    nets = {
        "lenet5": lenet5,
        "strided": strided,
        "normalized": normalized,
        "hourglass": hourglass,
        "rearranged": rearranged,
    }
    for name in sys.argv[1:] or [*nets, "optimizers"]:
        if name == "optimizers":
            make_optimizers()
        else:
            make(f"{name}.safetensors", *nets[name]())


main()
