import { join } from 'node:path'

/** Runs a script of this folder as a process of its own, with its options as JSON; its last line of output is its result, as JSON. */
export async function runGeneratorProcess<Result>(script: string, options: object): Promise<Result> {
  const child = Bun.spawn([process.execPath, '--no-install', join(import.meta.dir, script), JSON.stringify(options)], {
    stdout: 'pipe',
    stderr: 'inherit',
  })
  const [output, exitCode] = await Promise.all([new Response(child.stdout).text(), child.exited])
  const last = output.trim().split('\n').at(-1)
  if (exitCode !== 0 || !last) throw new Error(`${script} ended with ${exitCode}`)
  return JSON.parse(last) as Result // our own script of this folder
}
