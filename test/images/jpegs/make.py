"""Makes images.json: JPEG files of each kind, and the pixels that libjpeg-turbo and Pillow read from them.

Debian's python3-pil (9.4) and libjpeg-turbo-progs (2.1): /usr/bin/python3 test/images/jpegs/make.py

Colours that are stored at half the resolution are repeated, not smoothed (djpeg -nosmooth).
"""

import base64
import io
import json
import pathlib
import subprocess

from PIL import Image, ImageOps

WIDTH, HEIGHT = 21, 13


def picture(mode):
    image = Image.new("RGB", (WIDTH, HEIGHT))
    for y in range(HEIGHT):
        for x in range(WIDTH):
            # Bright at the upper left, red to the right, blue downwards, with an edge.
            edge = 60 if x > y + 6 else 0
            image.putpixel((x, y), (40 + 9 * x, 200 - 6 * x - 5 * y, 20 + 15 * y + edge))
    return image.convert(mode)


def run(*command, data):
    return subprocess.run(command, input=data, capture_output=True, check=True).stdout


def ppm(image):
    out = io.BytesIO()
    image.save(out, "PPM")
    return out.getvalue()


def cjpeg(*options, mode="RGB"):
    return run("cjpeg", "-quality", "95", "-dct", "float", *options, data=ppm(picture(mode)))


def pillow(image, **options):
    out = io.BytesIO()
    image.save(out, "JPEG", quality=95, **options)
    return out.getvalue()


def read(data):
    image = Image.open(io.BytesIO(run("djpeg", "-nosmooth", "-dct", "float", "-ppm", data=data)))
    return image.convert("RGB")


def oriented(value):
    exif = Image.Exif()
    exif[0x0112] = value
    return pillow(picture("RGB"), exif=exif, subsampling=0)


def ycck():
    """Pillow's CMYK, of which Adobe's segment says that it is YCCK."""
    data = pillow(picture("CMYK"))
    at = data.index(b"Adobe") + 11
    return data[:at] + b"\2" + data[at + 1 :]


def cmyk_pixels(data):
    return Image.open(io.BytesIO(data)).convert("RGB")


def entry(name, data, image):
    return {
        "name": name,
        "file": base64.b64encode(data).decode(),
        "width": image.width,
        "height": image.height,
        "pixels": base64.b64encode(image.tobytes()).decode(),
    }


files = {
    "grey": cjpeg("-grayscale"),
    "grey, progressive": cjpeg("-grayscale", "-progressive"),
    "grey, restarts each two blocks": cjpeg("-grayscale", "-restart", "2B"),
    "4:4:4": cjpeg("-sample", "1x1"),
    "4:2:2": cjpeg("-sample", "2x1"),
    "4:4:0": cjpeg("-sample", "1x2"),
    "4:2:0": cjpeg("-sample", "2x2"),
    "4:1:1": cjpeg("-sample", "4x1"),
    "4:2:0, optimised codes": cjpeg("-sample", "2x2", "-optimize"),
    "4:2:0, restarts each block": cjpeg("-sample", "2x2", "-restart", "1B"),
    "4:4:4, restarts each row": cjpeg("-sample", "1x1", "-restart", "1"),
    "4:2:0, progressive": cjpeg("-sample", "2x2", "-progressive"),
    "4:4:4, progressive, restarts each block": cjpeg("-sample", "1x1", "-progressive", "-restart", "1B"),
    "4:2:0, progressive, restarts each two blocks": cjpeg("-sample", "2x2", "-progressive", "-restart", "2B"),
    "RGB": cjpeg("-rgb"),
    "low quality": cjpeg("-quality", "20", "-sample", "2x2"),
}
entries = [entry(name, data, read(data)) for name, data in files.items()]
for name, data in {"CMYK": pillow(picture("CMYK")), "YCCK": ycck()}.items():
    entries.append(entry(name, data, cmyk_pixels(data)))
for value in range(1, 9):
    data = oriented(value)
    upright = Image.open(io.BytesIO(data))
    upright.load()
    tag = Image.Exif()
    turned = read(data)
    tag[0x0112] = value
    turned.info["exif"] = tag.tobytes()
    turned.getexif()[0x0112] = value
    entries.append(entry(f"orientation {value}", data, ImageOps.exif_transpose(turned)))
refused = {
    "arithmetic codes": cjpeg("-arithmetic"),
}
out = {
    "read": entries,
    "refused": [{"name": name, "file": base64.b64encode(data).decode()} for name, data in refused.items()],
}
path = pathlib.Path(__file__).with_name("images.json")
path.write_text(json.dumps(out, indent=2) + "\n")
