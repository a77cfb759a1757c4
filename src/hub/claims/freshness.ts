import { type Clock, Fault, type Limits } from '../../kernel/index.ts'

export function toExpired(ageMaxMs: number): Fault {
  return new Fault(
    'claim-expired',
    `a payload's object was begun more than ${ageMaxMs} ms ago, so it may be removed as one that nobody refers to; publish again`,
    { detail: { ageMaxMs } },
  )
}

/**
 * To be asked right before an append that refers to new objects, whose making began at `begunAtMs` of the same monotonic
 * clock. The sweeper waits for twice as long, counted from when it saw them, so no two clocks are ever compared.
 */
export function checkFresh(
  begunAtMs: number,
  { clock, limits }: { clock: Clock; limits: Pick<Limits, 'hubClaimGraceMs'> },
): void {
  const ageMaxMs = limits.hubClaimGraceMs / 2
  if (clock.elapsedMs() - begunAtMs > ageMaxMs) throw toExpired(ageMaxMs)
}
