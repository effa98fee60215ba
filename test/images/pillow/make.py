"""Makes goldens.json: what Pillow and torchvision's formulas make of small images.

Debian's python3-pil (9.4): /usr/bin/python3 test/images/pillow/make.py
"""

import base64
import io
import json
import pathlib
import random

from PIL import Image, ImageOps

METHODS = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "nearest": Image.Resampling.NEAREST,
}


def picture(mode, width, height):
    """Edges, noise and gradients: what filters differ by."""
    rng = random.Random(f"{mode} {width} {height}")
    image = Image.new("RGB", (width, height))
    for y in range(height):
        for x in range(width):
            edge = 90 if (x // 5 + y // 7) % 2 else 0
            image.putpixel((x, y), (5 * x % 160 + edge, rng.randrange(256), (3 * y + 2 * x) % 256))
    return image.convert(mode)


def text(image):
    return base64.b64encode(image.tobytes()).decode()


IMAGES = {
    "rgb": picture("RGB", 41, 23),
    "tall": picture("RGB", 13, 50),
    "grey": picture("L", 19, 34),
}

# Fit, height, width: smaller, larger, one of each, the same; proportions like the image's and others.
SIZES = [
    ("stretch", 7, 10),
    ("stretch", 26, 44),
    ("stretch", 23, 41),
    ("stretch", 1, 1),
    ("crop", 8, 8),
    ("crop", 30, 12),
    ("letterbox", 12, 12),
    ("letterbox", 5, 45),
]


def fitted(image, fit, size, method):
    if fit == "crop":
        return ImageOps.fit(image, size, method)
    if fit == "letterbox":
        return ImageOps.pad(image, size, method, color=(114, 7, 200) if image.mode == "RGB" else 114)
    return image.resize(size, method)


def resized():
    for name, image in IMAGES.items():
        for interpolation, method in METHODS.items():
            for fit, height, width in SIZES:
                out = fitted(image, fit, (width, height), method)
                yield {
                    "image": name,
                    "interpolation": interpolation,
                    "fit": fit,
                    "height": height,
                    "width": width,
                    "bytes": text(out),
                }


def short_sided():
    """torchvision's Resize of one number: `int(size * long / short)`."""
    for name, image in IMAGES.items():
        for side in (5, 16):
            short, long = sorted(image.size)
            other = int(side * long / short)
            size = (side, other) if image.width <= image.height else (other, side)
            out = image.resize(size, Image.Resampling.BILINEAR)
            yield {"image": name, "shortSide": side, "height": out.height, "width": out.width, "bytes": text(out)}


def png(image):
    out = io.BytesIO()
    image.save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def decoded():
    """PNG files, and what Pillow's convert makes of them."""
    colours = picture("RGB", 9, 6)
    clear = colours.convert("RGBA")
    clear.putalpha(picture("L", 9, 6))
    for name, image in {
        "grey": picture("L", 9, 6),
        "grey and opacity": clear.convert("LA"),
        "RGB": colours,
        "RGB and opacity": clear,
        "palette": colours.quantize(16),
        "two colours": colours.convert("1"),
    }.items():
        yield {
            "name": name,
            "file": png(image),
            "height": image.height,
            "width": image.width,
            "bytes": {"1": text(image.convert("L")), "3": text(image.convert("RGB")), "4": text(image.convert("RGBA"))},
        }


out = {
    "images": {
        name: {
            "height": image.height,
            "width": image.width,
            "channels": len(image.getbands()),
            "bytes": text(image),
        }
        for name, image in IMAGES.items()
    },
    "resized": list(resized()),
    "shortSided": list(short_sided()),
    "decoded": list(decoded()),
}
path = pathlib.Path(__file__).with_name("goldens.json")
path.write_text(json.dumps(out, indent=2) + "\n")
