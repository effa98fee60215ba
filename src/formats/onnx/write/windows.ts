/** Convolutions and pooling. */
import { resolvePool, type PoolOptions } from "../../../engine/pool2d.ts";
import { resolveWindow, type Window, type WindowOptions } from "../../../engine/window.ts";
import type { Activation } from "../../../engine/activation.ts";
import type { Tensor } from "../../../tensor.ts";
import { activate } from "./activations.ts";
import type { Attribute, Site } from "./file.ts";

/** Sizes, strides and padding; the padding below and right is as much as the last window reaches beyond the image. */
function geometry(window: Window): Record<string, Attribute> {
  const { h, w, kh, kw, oh, ow, strideH, strideW, dilationH, dilationW, top, left } = window;
  const bottom = (oh - 1) * strideH + (kh - 1) * dilationH + 1 - h - top;
  const right = (ow - 1) * strideW + (kw - 1) * dilationW + 1 - w - left;
  return {
    kernel_shape: [kh, kw],
    strides: [strideH, strideW],
    pads: [top, left, Math.max(0, bottom), Math.max(0, right)],
  };
}

/** Filters `[kh, kw, c, f]` as `[f, c, kh, kw]`. */
function oihw({ shape, data }: Tensor): Tensor {
  const [kh, kw, c, f] = shape as [number, number, number, number];
  const turned = new Float32Array(data.length);
  let to = 0;
  for (let j = 0; j < f; j++) {
    for (let i = 0; i < c; i++) {
      for (let p = 0; p < kh * kw; p++) turned[to++] = data[(p * c + i) * f + j]!;
    }
  }
  return { shape: [f, c, kh, kw], data: turned };
}

/** `group` tells the groups for a number of channels. */
function convolution(site: Site, group: number): string {
  const config = site.config<WindowOptions & { activation: Activation }>();
  const window = resolveWindow(site.name, site.shape, config);
  const { dilationH, dilationW } = window;
  const inputs = [site.x, site.weight("kernel", oihw), site.weight("bias")];
  const attributes = { ...geometry(window), dilations: [dilationH, dilationW], group };
  return activate(site, site.op("Conv", inputs, attributes), config.activation);
}

export function conv2d(site: Site): string {
  return convolution(site, site.config<{ groups: number }>().groups);
}

export function depthwiseConv2d(site: Site): string {
  return convolution(site, site.shape[2]!);
}

function pooling(site: Site, opType: string, more: Record<string, Attribute>): string {
  const window = resolvePool(site.name, site.shape, site.config<PoolOptions>());
  return site.op(opType, [site.x], { ...geometry(window), ...more });
}

export function maxPooling2d(site: Site): string {
  return pooling(site, "MaxPool", {});
}

export function averagePooling2d(site: Site): string {
  return pooling(site, "AveragePool", { count_include_pad: 0 });
}

/** `[n, c, 1, 1]` as `[n, c]`. */
function globalPooling(site: Site, opType: string): string {
  return site.op("Flatten", [site.op(opType, [site.x])], { axis: 1 });
}

export function globalMaxPooling2d(site: Site): string {
  return globalPooling(site, "GlobalMaxPool");
}

export function globalAveragePooling2d(site: Site): string {
  return globalPooling(site, "GlobalAveragePool");
}
