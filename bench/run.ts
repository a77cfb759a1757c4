import type { Bench } from './report.ts'
import { toJson, toTable } from './report.ts'

/** `npm run bench -- NAME [--json] [--full]` */
const BENCHES: Readonly<Record<string, () => Promise<Bench>>> = {
  play: async () => (await import('./play.ts')).play,
}
const FLAGS: readonly string[] = ['--json', '--full']

const args = process.argv.slice(2)
const names = args.filter((arg) => !arg.startsWith('-'))
const unknown = args.filter((arg) => arg.startsWith('-') && !FLAGS.includes(arg))
const name = names[0] ?? ''
const load = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined

if (!load || names.length > 1 || unknown.length > 0) {
  const got = unknown.length > 0 ? `unknown flag ${unknown.join(' ')}` : `got ${JSON.stringify(names.join(' '))}`
  console.error(`usage: npm run bench -- NAME [--json] [--full]\nexpected one NAME of those below; ${got}`)
  for (const [each, open] of Object.entries(BENCHES)) console.error(`  ${each}  ${(await open()).description}`)
  process.exit(2)
}

const bench = await load()
const result = await bench.run({
  full: args.includes('--full'),
  say: (message) => console.error(`${new Date().toISOString().slice(11, 19)} ${message}`),
})
console.log(args.includes('--json') ? toJson(name, result) : toTable(name, result))
process.exit(result.missing.length === 0 ? 0 : 1)
