/** The decoder of jpeg-js by itself, without its encoder. */
declare module "jpeg-js/lib/decoder.js" {
  export default function decode(
    file: Uint8Array,
    options: {
      useTArray: true;
      colorTransform: boolean;
      formatAsRGBA: boolean;
      maxResolutionInMP: number;
      maxMemoryUsageInMB: number;
    },
  ): { width: number; height: number; data: Uint8Array<ArrayBuffer> };
}
