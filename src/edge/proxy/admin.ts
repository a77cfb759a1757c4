import { createHash, timingSafeEqual } from 'node:crypto'
import { purgeRequestSchema } from '../../contracts/index.ts'
import type { Limits, Logger } from '../../kernel/index.ts'
import { applyPurge, type Purgeable } from '../heard/index.ts'
import type { EdgeMeter } from '../metrics/index.ts'
import { type EdgeProblem, toProblemAnswer } from '../problem.ts'
import { readBody } from '../read-body.ts'
import { type Answer, createHttpServer, type HttpServer, type ServerRequest } from '../server/index.ts'

export type ProxyAdminOptions = {
  /** On loopback alone; 0 picks a free one. */
  readonly port: number
  /** What scrapers and operators send as bearer. */
  readonly token: string
  readonly meter: EdgeMeter
  readonly purgeable: Purgeable
  readonly limits: Limits
  readonly logger: Logger
}

/** An operator's door to the edge alone: `GET /metrics`, `POST /purges` with `{"scope":"url"|"prefix"|"tag","value":…}`. */
export function createProxyAdmin(options: ProxyAdminOptions): HttpServer {
  const { meter, purgeable, limits, logger } = options

  const purge = async (request: ServerRequest): Promise<Answer> => {
    const order = purgeRequestSchema.safeParse(parseJson(await readBody(request, limits.apiBodyBytesMax)))
    if (!order.success) return toProblemAnswer(toPurgeProblem(order.error.issues))
    const dropped = applyPurge(purgeable, order.data)
    logger.info('purged', { scope: order.data.scope, value: order.data.value, dropped })
    return toText('application/json', JSON.stringify({ dropped }))
  }
  const routes: Readonly<Record<string, (request: ServerRequest) => Answer | Promise<Answer>>> = {
    'GET /metrics': () => toText('text/plain; version=0.0.4', meter.prometheus({ role: 'edge' })),
    'POST /purges': purge,
  }

  return createHttpServer({
    port: options.port,
    hostname: '127.0.0.1',
    limits,
    logger,
    handle(request) {
      if (!isBearer(request.fields.get('authorization'), options.token)) return toProblemAnswer(unauthorised)
      const route = routes[`${request.method} ${request.path}`]
      return route ? route(request) : toProblemAnswer(noRoute)
    },
  })
}

function toText(type: string, text: string): Answer {
  const head = `content-type: ${type}\r\ncache-control: no-store\r\n`
  return { status: 200, head, body: Buffer.from(text), lengthBytes: null }
}

/** In a time that says nothing about where they differ. */
function isBearer(authorization: string | null, token: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(authorization ?? ''), digest(`Bearer ${token}`))
}

function parseJson(body: Uint8Array | 'too-large'): unknown {
  try {
    return body === 'too-large' ? null : JSON.parse(Buffer.from(body).toString())
  } catch {
    return null
  }
}

function toPurgeProblem(
  issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[],
): EdgeProblem {
  const detail = issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`).join('; ')
  return { status: 400, code: 'purge-invalid', detail: `expected {"scope":"url|prefix|tag","value":"…"}: ${detail}` }
}

const unauthorised: EdgeProblem = {
  status: 401,
  code: 'token-needed',
  detail: 'expected Authorization: Bearer and the token of --admin-token',
  headers: { 'www-authenticate': 'Bearer' },
}
const noRoute: EdgeProblem = { status: 404, code: 'not-found', detail: 'expected GET /metrics or POST /purges' }
