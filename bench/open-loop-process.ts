import { join } from 'node:path'
import type { FastLoopOptions, FastLoopResult } from './open-loop-fast.ts'
import { readLines } from './read-lines.ts'

/** `open-loop-fast.ts` as a process of its own; one run at a time. */
export type FastLoopProcess = {
  run(options: FastLoopOptions): Promise<FastLoopResult>
  stop(): Promise<void>
}

/** `prefix` is what the command begins with: the core it has to keep to. */
export function startFastLoop(prefix: readonly string[]): FastLoopProcess {
  const command = [...prefix, process.execPath, '--no-install', join(import.meta.dir, 'open-loop-fast.ts')]
  const child = Bun.spawn(command, { stdin: 'pipe', stdout: 'pipe', stderr: 'inherit' })
  const lines = readLines(child.stdout)
  return {
    async run(options) {
      child.stdin.write(`${JSON.stringify(options)}\n`)
      await child.stdin.flush()
      const { value, done } = await lines.next()
      if (done) throw new Error(`the open loop ended with ${await child.exited} in the middle of a run`)
      return JSON.parse(value) as FastLoopResult // our own script of this folder
    },
    async stop() {
      child.kill('SIGKILL')
      await child.exited
    },
  }
}
