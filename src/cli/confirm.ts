import { createInterface } from 'node:readline/promises'
import type { Terminal } from './terminal.ts'

/** Asks once before something that hurts. Where there is nobody to ask the answer is no, and `--yes` is named. */
export async function confirm(terminal: Terminal, question: string): Promise<boolean> {
  if (!process.stdin.isTTY) {
    terminal.complain(`tentpole: ${question} There is nobody to ask; --yes says so.`)
    return false
  }
  const asking = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await asking.question(`${question} [y/N] `).finally(() => asking.close())
  return /^y(es)?$/i.test(answer.trim())
}
