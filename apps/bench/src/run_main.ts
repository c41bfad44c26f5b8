/** Runs a program's main function: one clear line and exit code 1 for a failure, never a stack trace. */
export async function runMain(name: string, main: (argv: readonly string[]) => Promise<void>): Promise<void> {
  try {
    await main(process.argv);
  } catch (error) {
    process.stderr.write(`${name}: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
