/** `im2row/receipts`: checks receipts of runs and of outputs to the last bit, and traces steps. */
export { receiptOf, type InferenceReceipt, type PredictingModel } from "./receipts/inference.ts";
export { compareReceipts, type ReceiptDifference } from "./receipts/compare.ts";
export { locateDifference, type LocatedDifference, type LocateOptions } from "./receipts/locate.ts";
export { compareTraces, stepTracer, traceStep } from "./receipts/trace.ts";
export type { StepTrace, StepTracer, TraceDifference, TracedPass, TraceEntry } from "./receipts/trace.ts";
export { traceReceipt, type TraceReceiptOptions } from "./receipts/traceReceipt.ts";
export { verifyReceipt } from "./receipts/verify.ts";
export type { InferenceVerification, VerifyInferenceOptions } from "./receipts/verify.ts";
export type { Verification, VerifyTrainingOptions } from "./receipts/verification.ts";
export type {
  CompileDescription,
  FitDescription,
  PartDescription,
  ReceiptHeader,
  TrainingReceipt,
} from "./training/receipt.ts";
