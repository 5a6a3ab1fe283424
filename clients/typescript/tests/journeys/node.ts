// The journey under Node.

import { everything } from "./everything.js";

const { ACONTEXT_BASE_URL, ACONTEXT_API_KEY, ACONTEXT_ADMIN_KEY } = process.env;
const place = {
  baseUrl: ACONTEXT_BASE_URL ?? "",
  apiKey: ACONTEXT_API_KEY ?? "",
  adminKey: ACONTEXT_ADMIN_KEY ?? "",
};
console.log(await everything(place));
