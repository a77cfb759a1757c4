import { faultCode, type Limits } from '../kernel/index.ts'
import { decodeHttpResponse, type WireClient, type WireHttpResponse } from '../wire/index.ts'
import { type EdgeProblem, RETRY_SOON } from './problem.ts'

export type EdgeCell = { readonly name: string; readonly client: WireClient }

export type CellCall = {
  /** The viewer's cell; any connected one when it is down, unknown or null. */
  readonly cell: string | null
  /** An `encodeHttpRequest`. */
  readonly payload: Uint8Array
  readonly timeoutMs: number
  /** Whether a call whose answer was lost may be made again. */
  readonly repeatable: boolean
  readonly signal?: AbortSignal
}

/** `cell` is the name of the one that answered, or was asked last; null when none was connected. */
export type CellAnswer =
  | { readonly ok: true; readonly cell: string; readonly response: WireHttpResponse }
  | { readonly ok: false; readonly cell: string | null; readonly problem: EdgeProblem }

export type Cells = {
  call(call: CellCall): Promise<CellAnswer>
  /** Names of the cells that are not connected. */
  missing(): readonly string[]
}

const ATTEMPTS_MAX = 2

/**
 * Calls the viewer's cell, and another one when that is down. What was certainly not done (`draining`) is tried
 * elsewhere whatever it was; what may have been done (`wire-lost`) only if it is repeatable, once.
 */
export function createCells(cells: readonly EdgeCell[], limits: Pick<Limits, 'apiTimeoutMs'>): Cells {
  const byName = new Map(cells.map((cell) => [cell.name, cell]))
  let turn = 0

  const pick = (wanted: string | null, except: EdgeCell | null): EdgeCell | null => {
    const own = wanted === null ? undefined : byName.get(wanted)
    if (own && own !== except && own.client.connected()) return own
    for (let step = 0; step < cells.length; step++) {
      turn = (turn + 1) % cells.length
      const cell = cells[turn]
      if (cell && cell !== except && cell.client.connected()) return cell
    }
    return null
  }

  return {
    async call({ cell: wanted, payload, timeoutMs, repeatable, signal }) {
      let failed: EdgeCell | null = null
      let code = 'cell-unavailable'
      for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
        const cell = pick(wanted, failed)
        if (!cell) break
        try {
          const answer = await cell.client.call(payload, signal ? { timeoutMs, signal } : { timeoutMs })
          return { ok: true, cell: cell.name, response: decodeHttpResponse(answer) }
        } catch (error) {
          code = faultCode(error)
          failed = cell
          if (!mayTryElsewhere(code, repeatable)) break
        }
      }
      return { ok: false, cell: failed?.name ?? null, problem: toCellProblem(code, limits) }
    },
    missing: () => cells.filter((cell) => !cell.client.connected()).map((cell) => cell.name),
  }
}

function mayTryElsewhere(code: string, repeatable: boolean): boolean {
  return code === 'draining' || (code === 'wire-lost' && repeatable)
}

const PROBLEMS: Readonly<Record<string, EdgeProblem>> = {
  'cell-unavailable': {
    status: 503,
    code: 'cell-unavailable',
    detail: 'no cell is connected at the moment; retry shortly',
    headers: RETRY_SOON,
  },
  'wire-lost': {
    status: 503,
    code: 'cell-lost',
    detail: 'the cell went away before it answered, so this may or may not have been done; retry shortly',
    headers: RETRY_SOON,
  },
  draining: {
    status: 503,
    code: 'cell-unavailable',
    detail: 'the cell is being replaced; retry shortly',
    headers: RETRY_SOON,
  },
  overloaded: {
    status: 503,
    code: 'cell-overloaded',
    detail: 'the cell has more work than it takes; retry shortly',
    headers: RETRY_SOON,
  },
  cancelled: { status: 503, code: 'cancelled', detail: 'the request was cancelled; retry', headers: RETRY_SOON },
}

function toCellProblem(code: string, limits: Pick<Limits, 'apiTimeoutMs'>): EdgeProblem {
  if (code === 'timeout') {
    const detail = `the cell did not answer within its time (${limits.apiTimeoutMs} ms for an API call); retry later`
    return { status: 504, code: 'cell-timeout', detail }
  }
  const known = PROBLEMS[code]
  if (known) return known
  return { status: 502, code: 'cell-failed', detail: `the cell failed to answer (${code}); the fault is not yours` }
}
