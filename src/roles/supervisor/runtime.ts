import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { z } from 'zod'

/** What a running platform says of itself in its home once it is ready; by it the CLI, tests and benchmarks find it. */
const runtimeSchema = z.object({
  /** Of the supervisor. */
  pid: z.int(),
  version: z.string(),
  startedAtMs: z.int(),
  ports: z.object({ watch: z.int(), console: z.int() }),
  urls: z.object({ watch: z.string(), console: z.string() }),
})
export type Runtime = {
  readonly pid: number
  readonly version: string
  readonly startedAtMs: number
  readonly ports: { readonly watch: number; readonly console: number }
  readonly urls: { readonly watch: string; readonly console: string }
}

/** Null when there is none, or none that can be understood. */
export async function readRuntime(path: string): Promise<Runtime | null> {
  try {
    const parsed = runtimeSchema.safeParse(JSON.parse(await readFile(path, 'utf8')))
    return parsed.success ? parsed.data : null
  } catch {
    return null
  }
}

export async function writeRuntime(path: string, runtime: Runtime): Promise<void> {
  await writeWhole(path, `${JSON.stringify(runtime, null, 2)}\n`)
}

export async function removeRuntime(path: string): Promise<void> {
  await rm(path, { force: true })
}

/** A reader sees the old file or the new one, never half of one. */
export async function writeWhole(path: string, text: string): Promise<void> {
  const beside = `${path}.new`
  await writeFile(beside, text, { mode: 0o600 })
  await rename(beside, path)
}
