import type { Hono } from 'hono'
import { z } from 'zod'
import { type AnyEvent, type DeadLetter, deadLetterSchema } from '../../../contracts/index.ts'
import type { AsCaller, Caller } from './caller.ts'
import type { HubPorts } from './ports.ts'
import { badRequest, notFound } from './problems.ts'
import { ownNames } from './subscription-routes.ts'

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
    const own = await ownNames(caller, ports)
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
      const own = await ownNames(caller, ports)
      const { name, kind, ...rest } = query.data
      const wanted = name ?? (own?.length === 1 ? own[0] : undefined)
      if (own && wanted === undefined && own.length > 0)
        return badRequest('query-invalid', `name: expected one of your subscriptions: ${own.join(', ')}.`)
      if (own && (kind === 'pipe' || wanted === undefined || !own.includes(wanted)))
        return Response.json({ deadLetters: [], next: null })
      const filter = dropAbsent({ ...rest, kind: own ? ('delivery' as const) : kind, name: wanted })
      const { letters, cursor } = await deadLetters.list(filter)
      return Response.json({ deadLetters: letters, next: cursor })
    }),
  )
  app.get(
    `${BASE}/:id`,
    asCaller(async (caller, _request, param) => {
      const letter = await find(caller, param('id'))
      if (!letter) return notFound('dead-letter', param('id'))
      const { payload, ...rest } = letter
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

function isTheirs(letter: DeadLetter, own: readonly string[] | null): boolean {
  return own === null || (letter.kind === 'delivery' && own.includes(letter.name))
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
