import type { TablesPort } from '../../engines/tables/index.ts'
import { Fault, type Limits } from '../../kernel/index.ts'
import type { AddDeadLetters } from '../bus/dead-letter.ts'

/**
 * Adds dead letters of one pipe as long as there is room for open ones; beyond, `hub-busy`, on which the pipe waits with
 * what it has in hand. A feed gone bad stops there, and nothing of it is dropped.
 */
export function boundLetters(
  add: AddDeadLetters,
  {
    pipe,
    tables,
    limits,
  }: {
    readonly pipe: string
    readonly tables: Pick<TablesPort, 'query'>
    readonly limits: Pick<Limits, 'hubDeadLettersOpenMax' | 'hubBusyRetryMs'>
  },
): AddDeadLetters {
  /** As many fit at least: letters are closed behind our back, and opened by nobody else. */
  let room = 0
  const count = async (): Promise<number> => {
    const [row] = await tables.query({
      sql: "SELECT COUNT(*) AS letters FROM hub_dead_letters WHERE name = ? AND generation IS NULL AND state = 'open'",
      parameters: [pipe],
    })
    return Number(row?.['letters'])
  }
  return async (letters) => {
    if (room <= 0) {
      const open = await count()
      room = limits.hubDeadLettersOpenMax - open
      if (room <= 0) throw toFull(pipe, open, limits)
    }
    await add(letters)
    // The last batch may be more than there was room for: it had begun.
    room -= letters.length
  }
}

function toFull(
  pipe: string,
  open: number,
  { hubDeadLettersOpenMax, hubBusyRetryMs: retryAfterMs }: Pick<Limits, 'hubDeadLettersOpenMax' | 'hubBusyRetryMs'>,
): Fault {
  return new Fault(
    'hub-busy',
    `the pipe ${pipe} has ${open} open dead letters (hubDeadLettersOpenMax is ${hubDeadLettersOpenMax}), and waits; redrive or discard some`,
    { detail: { retryAfterMs } },
  )
}
