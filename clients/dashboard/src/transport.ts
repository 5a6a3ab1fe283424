// How the browser speaks with the services: gRPC-Web at the address that served this page.

import { Code, ConnectError, type Interceptor, type Transport } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";

import { currentAccount, signOut } from "./account";

/** Make the transport of a key; without one, that of whoever is signed in when a call is made. */
export function createTransport(key?: string): Transport {
  return createGrpcWebTransport({
    baseUrl: window.location.origin,
    interceptors: [key === undefined ? asCurrentAccount : withKey(() => key)],
  });
}

function withKey(key: () => string | undefined): Interceptor {
  return (next) => (request) => {
    const secret = key();
    if (secret) request.header.set("authorization", `Bearer ${secret}`);
    return next(request);
  };
}

/** Sign out when the key opens nothing any more, such as after it was revoked. */
const asCurrentAccount: Interceptor = (next) => async (request) => {
  const account = currentAccount();
  try {
    return await withKey(() => account?.key)(next)(request);
  } catch (error) {
    const refused = ConnectError.from(error).code === Code.Unauthenticated;
    if (refused && currentAccount() === account) signOut();
    throw error;
  }
};
