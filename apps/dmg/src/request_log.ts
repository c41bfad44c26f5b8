import { appendFileSync } from 'node:fs';
import type { CallOptions, RpcTransport } from '@daos/control';
import type { UnaryMethod } from '@daos/proto';

/** Tells of every request: to a file, or to stderr. */
export class LoggingTransport implements RpcTransport {
  constructor(
    private readonly inner: RpcTransport,
    private readonly file: string | undefined,
  ) {}

  async call<Req, Resp>(address: string, method: UnaryMethod<Req, Resp>, request: Req, options: CallOptions): Promise<Resp> {
    const started = performance.now();
    const finish = (outcome: string): void => this.write(`${address}: ${method.path} ${outcome} in ${(performance.now() - started).toFixed(1)} ms`);
    try {
      const response = await this.inner.call(address, method, request, options);
      finish('answered');
      return response;
    } catch (error) {
      finish(`failed: ${error instanceof Error ? error.message : String(error)}`);
      throw error;
    }
  }

  close(): void {
    this.inner.close();
  }

  private write(text: string): void {
    const line = `DEBUG ${new Date().toISOString()} ${text}\n`;
    if (this.file === undefined) process.stderr.write(line);
    else appendFileSync(this.file, line);
  }
}
