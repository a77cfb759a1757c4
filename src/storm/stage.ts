import type { PlatformStatus, StaffTitle } from '../contracts/index.ts'
import type { LogPort } from '../engines/log/index.ts'
import type { Layout } from '../roles/layout.ts'

/** What a storm blows on: a platform of its own, or one that runs somewhere. Whoever composes storm makes it. */
export type Stage = {
  /** Where viewers go; no slash at the end. */
  readonly watchUrl: string
  readonly premiereId: string | null
  readonly startedByStorm: boolean
  readonly version: string | null
  /** Null where storm cannot see inside: no faults then, no look at the log. */
  readonly inside: Inside | null
  /** Null without an operator's token: no operations then. */
  readonly operator: Operator | null
}

/** A platform on this machine whose processes and files are within reach. */
export type Inside = {
  readonly layout: Layout
  /** Asks the supervisor. */
  status(): Promise<PlatformStatus>
  /** The log as the platform's own processes read it. */
  readonly log: LogPort
  /** The file system made for it, that may be filled; null when it lives on the machine's own. */
  readonly disk: { readonly directory: string; readonly bytes: number } | null
}

export type Operator = {
  /** Makes a film of that length, uploads it and follows it to its end. Rejects when it is refused or given up. */
  publish(name: string, filmMs: number, signal: AbortSignal): Promise<StaffTitle>
  /** Resolves when the withdrawal is acknowledged. */
  withdraw(titleId: string): Promise<void>
}
