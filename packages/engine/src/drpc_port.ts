/** Serves one call: body in, body out. Throws `DaosError` NOSYS for an unknown method, UNREG for an unknown module. */
export type DrpcDispatch = (module: number, method: number, body: Uint8Array) => Promise<Uint8Array>;

/** How an engine and its daos_server talk. */
export interface DrpcPort {
  listen(path: string, dispatch: DrpcDispatch): Promise<{ close(): Promise<void> }>;
  /** Throws DER_IO when the peer answers with anything but success. */
  call(path: string, module: number, method: number, body: Uint8Array): Promise<Uint8Array>;
}
