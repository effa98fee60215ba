/** The types of receipts, as a user sees them. */
import type { History, Model, OwnTensor, ReceiptOptions } from "im2row";
import {
  receiptOf,
  verifyReceipt,
  type InferenceReceipt,
  type InferenceVerification,
  type TrainingReceipt,
  type Verification,
} from "im2row/receipts";
import { describe, expectTypeOf, it } from "vitest";

declare const training: TrainingReceipt;
declare const inference: InferenceReceipt;
declare const model: Model;
declare const images: OwnTensor;

describe("types", () => {
  it("of what fit takes and leaves", () => {
    expectTypeOf<History["receipt"]>().toEqualTypeOf<TrainingReceipt | undefined>();
    expectTypeOf<History["receiptMilliseconds"]>().toEqualTypeOf<number | undefined>();
    expectTypeOf<NonNullable<Parameters<Model["fit"]>[1]>>().not.toBeNever();
    expectTypeOf<ReceiptOptions>().toEqualTypeOf<{ every?: number | undefined }>();
  });

  it("of what verifying takes and returns, by the kind of the receipt", () => {
    const { runtime } = { runtime: undefined as never };
    const engine = { runtime } as never;
    expectTypeOf(() =>
      verifyReceipt(training, { engine, images, labels: [0] }),
    ).returns.resolves.toEqualTypeOf<Verification>();
    expectTypeOf(() =>
      verifyReceipt(inference, { model, input: images }),
    ).returns.resolves.toEqualTypeOf<InferenceVerification>();
    expectTypeOf(() =>
      verifyReceipt(JSON.parse("{}") as unknown, { engine, images, labels: [0] }),
    ).returns.resolves.toEqualTypeOf<Verification | InferenceVerification>();
    expectTypeOf(() => receiptOf(model, images, images)).returns.resolves.toEqualTypeOf<InferenceReceipt>();
    // @ts-expect-error: it is known only of a run that was verified
    void ((result: Verification) => result.digest);
    void ((result: Verification) => (result.ok ? result.digest : result.reason));
  });
});
