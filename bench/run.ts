import type { Bench } from './report.ts'
import { toJson, toTable } from './report.ts'

/** `npm run bench -- NAME [--json] [--full]` */
const BENCHES: Readonly<Record<string, { readonly description: string; load(): Promise<Bench> }>> = {
  play: {
    description: 'press play: requests a second, latency, sessions after a kill -9, click to first frame (about 80 s)',
    load: async () => (await import('./play.ts')).runPlay,
  },
  edge: {
    description:
      'the edge alone beside nginx and Varnish, each on one core: hits, ranges, a crowd for something cold (about 50 s)',
    load: async () => (await import('./edge.ts')).runEdgeBench,
  },
  offload: {
    description:
      "what costs the edge's origin nothing: storm's premiere on a catalogue of 1,000 titles (about two minutes)",
    load: async () => (await import('./offload.ts')).runOffload,
  },
  hub: {
    description:
      'events through store and bus, their latency, 30 MB by claim check; event patterns: events a second, growth, memory (under a minute)',
    load: async () => (await import('./hub.ts')).runHubBench,
  },
  storm: {
    description:
      "storm's generator: requests a second of one process, its memory with 5,000 viewers playing (about a minute)",
    load: async () => (await import('./storm.ts')).runStormBench,
  },
}
const FLAGS: readonly string[] = ['--json', '--full']

const args = process.argv.slice(2)
const names = args.filter((arg) => !arg.startsWith('-'))
const unknown = args.filter((arg) => arg.startsWith('-') && !FLAGS.includes(arg))
const name = names[0] ?? ''
const found = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined

if (!found || names.length > 1 || unknown.length > 0) {
  const got = unknown.length > 0 ? `unknown flag ${unknown.join(' ')}` : `got ${JSON.stringify(names.join(' '))}`
  console.error(`usage: npm run bench -- NAME [--json] [--full]\nexpected one NAME of those below; ${got}`)
  for (const [each, { description }] of Object.entries(BENCHES)) console.error(`  ${each}  ${description}`)
  process.exit(2)
}

const bench = await found.load()
const result = await bench({
  full: args.includes('--full'),
  say: (message) => console.error(`${new Date().toISOString().slice(11, 19)} ${message}`),
})
console.log(args.includes('--json') ? toJson(name, result) : toTable(name, result))
process.exit(result.missing.length === 0 ? 0 : 1)
