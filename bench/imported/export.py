#!/usr/bin/python3
"""Networks of torchvision as ONNX files with random weights, for the benchmark: export.py FOLDER NAME...

Needs Debian's python3-torch and python3-torchvision. Writes FOLDER/NAME.onnx, input `x` [1, 3, 224, 224], output `y`.
"""

import sys

import torch
import torchvision


def main(folder, names):
    image = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    for name in names:
        torch.manual_seed(0)
        net = getattr(torchvision.models, name)(weights=None)
        # Running statistics other than 0 and 1, so that outputs are of a size to be compared.
        net.train()
        with torch.no_grad():
            for _ in range(3):
                net(torch.randn(4, 3, 64, 64))
        net.eval()
        target = f"{folder}/{name}.onnx"
        torch.onnx.export(net, image, target, opset_version=13, input_names=["x"], output_names=["y"])


main(sys.argv[1], sys.argv[2:])
