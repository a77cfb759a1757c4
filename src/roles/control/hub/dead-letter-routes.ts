import type { Hono } from 'hono'
import { z } from 'zod'
import { type AnyEvent, type DeadLetter, deadLetterSchema } from '../../../contracts/index.ts'
import type { AsCaller, Caller } from './caller.ts'
import type { HubPorts } from './ports.ts'
import { badRequest, notFound } from './problems.ts'

const BASE = '/hub/v1/dead-letters'
const PAGE_MAX = 500

const querySchema = z.strictObject({
  state: deadLetterSchema.shape.state.optional(),
  kind: deadLetterSchema.shape.kind.optional(),
  name: z.string().max(63).optional(),
  before: z.string().max(300).optional(),
  max: z.coerce.number().int().min(1).max(PAGE_MAX).default(50),
})

/** What could not be delivered. A spoke has to do with the letters of its own subscriptions only. */
export function addDeadLetterRoutes(app: Hono, ports: HubPorts, asCaller: AsCaller): void {
  const { deadLetters } = ports

  const find = async (caller: Caller, id: string): ReturnType<typeof deadLetters.get> => {
    const own = await findOwn(caller, ports)
    const letter = await deadLetters.get(id)
    return letter && isTheirs(letter, own) ? letter : null
  }
  const settle = (how: 'redrive' | 'discard') =>
    asCaller(async (caller, _request, param) => {
      const letter = await find(caller, param('id'))
      if (!letter) return notFound('dead-letter', param('id'))
      await deadLetters[how](letter.id)
      return Response.json({ id: letter.id, state: how === 'redrive' ? 'redriven' : 'discarded' })
    })

  app.get(
    BASE,
    asCaller(async (caller, request) => {
      const query = querySchema.safeParse(Object.fromEntries(new URL(request.url).searchParams))
      if (!query.success) {
        const [issue] = query.error.issues
        return badRequest('query-invalid', `${issue?.path.join('.') || 'query'}: ${issue?.message}`)
      }
      const own = await findOwn(caller, ports)
      const { name, kind, ...rest } = query.data
      const names = [...(own?.keys() ?? [])]
      const wanted = name ?? (names.length === 1 ? names[0] : undefined)
      if (wanted === undefined && names.length > 0)
        return badRequest('query-invalid', `name: expected one of your subscriptions: ${names.join(', ')}.`)
      if (own && (kind === 'pipe' || wanted === undefined || !own.has(wanted)))
        return Response.json({ deadLetters: [], next: null })
      const generation = own?.get(wanted ?? '')
      const filter = dropAbsent({ ...rest, kind: own ? ('delivery' as const) : kind, name: wanted, generation })
      const { letters, cursor } = await deadLetters.list(filter)
      return Response.json({ deadLetters: letters, next: cursor })
    }),
  )
  app.get(
    `${BASE}/:id`,
    asCaller(async (caller, _request, param) => {
      const letter = await find(caller, param('id'))
      if (!letter) return notFound('dead-letter', param('id'))
      const { payload, generation: _, ...rest } = letter
      if (!(payload instanceof Uint8Array))
        return Response.json({
          ...rest,
          ...{ payload: null, encoding: null },
          // Any token opens a claim: it is told to those who may see what is in it.
          claim: caller.kind === 'operator' ? payload : null,
        })
      const shown = (await maySee(caller, payload, ports)) ? toShown(payload) : { payload: null, encoding: null }
      return Response.json({ ...rest, ...shown })
    }),
  )
  app.post(`${BASE}/:id/redrive`, settle('redrive'))
  app.post(`${BASE}/:id/discard`, settle('discard'))
}

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

function dropAbsent<T extends object>(fields: T): Present<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Present<T> // what is left is there
}

/** A spoke's subscriptions, by name; null: all there are. Letters of an earlier one of a name are not its own. */
async function findOwn(caller: Caller, { subscriptions }: HubPorts): Promise<ReadonlyMap<string, number> | null> {
  if (caller.kind === 'operator') return null
  const own = (await subscriptions.list()).filter(({ owner }) => owner === caller.spoke.name)
  return new Map(own.map(({ name, generation }) => [name, generation]))
}

function isTheirs(
  letter: DeadLetter & { readonly generation: number | null },
  own: ReadonlyMap<string, number> | null,
): boolean {
  return own === null || (letter.kind === 'delivery' && own.get(letter.name) === letter.generation)
}

/** A spoke's patterns may have been narrowed since the event was given to it. */
async function maySee(caller: Caller, payload: Uint8Array, { spokes, withData }: HubPorts): Promise<boolean> {
  if (caller.kind === 'operator') return true
  try {
    const event = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload)) as AnyEvent // of a delivery: written by the bus
    return (await spokes.look(caller.spoke.name, await withData(event))) === 'visible'
  } catch {
    return false
  }
}

/** As text where it is some, else in base64. */
function toShown(payload: Uint8Array): { readonly payload: string; readonly encoding: 'text' | 'base64' } {
  try {
    return { payload: new TextDecoder('utf-8', { fatal: true }).decode(payload), encoding: 'text' }
  } catch {
    return { payload: Buffer.from(payload).toString('base64'), encoding: 'base64' }
  }
}
