/** A program as a module worker of workerd. */
import { respond } from "./respond.ts";

export default { fetch: respond };
