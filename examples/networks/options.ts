export interface NetworkOptions {
  /** Size of the output, which is logits. */
  classes?: number;
  /** Draws the weights. Default: 0. */
  seed?: number;
}

/** Options of nets that end in a mean over all pixels, and so take images of any size. */
export interface ImageNetworkOptions extends NetworkOptions {
  /** Height and width of an image. Default: 224. */
  imageSize?: number;
}
