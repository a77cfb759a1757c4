import { DEFAULT_LIMITS } from '../../../kernel/index.ts'
import { createExchange } from '../exchange.ts'
import { textOf } from './read-content.ts'

/** A process of its own, as what it trusts is settled when it starts: asks the origin given for `/` and prints the outcome. */
const exchange = createExchange({ url: new URL(process.argv[2] ?? ''), limits: DEFAULT_LIMITS })
const { signal } = new AbortController()
const result = await exchange.send({ method: 'GET', path: '/', lines: [], body: null, signal }, { fresh: false })
process.stdout.write(result.ok ? await textOf(result.body) : `${result.code}: ${result.why}`)
exchange.close()
