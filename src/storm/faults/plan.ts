/** What strikes the platform, when. `role` is a role's name as `tentpole status` shows it: `cell-a`, `store`, `worker-0`, `control`, `edge`. */
export type FaultPlan =
  /** kill -9, once or again and again. */
  | {
      readonly kind: 'kill'
      readonly role: string
      readonly atMs: number
      readonly times?: number
      readonly everyMs?: number
    }
  /** kill -9, and again as soon as it is back, for as long as this lasts. */
  | { readonly kind: 'down'; readonly role: string; readonly atMs: number; readonly forMs: number }
  /** SIGSTOP, and SIGCONT in the end. */
  | { readonly kind: 'freeze'; readonly role: string; readonly atMs: number; readonly forMs: number }
  /** Between viewers and the edge (`viewers`), or between a role's socket and those who call it (`store`, `cell-a`). */
  | {
      readonly kind: 'link'
      readonly where: string
      readonly atMs: number
      readonly forMs: number
      readonly conditions: LinkConditions
    }
  /** Fills the file system that the platform lives on, and frees it in the end. */
  | { readonly kind: 'disk-full'; readonly atMs: number; readonly forMs: number }

/** What a link does to what passes, in each direction. All absent: nothing. */
export type LinkConditions = {
  readonly latencyMs?: number
  /** Added to the latency, evenly between 0 and this; order is kept. */
  readonly jitterMs?: number
  readonly bytesPerSecond?: number
  /** `reset`: connections are reset, now and whenever one is made. `half-open`: what is sent vanishes, nothing is closed. */
  readonly cut?: 'reset' | 'half-open'
}

/** One strike as it happened, ms from the storm's begin. */
export type FaultMark = {
  readonly faultId: string
  readonly label: string
  readonly phase: 'struck' | 'ended' | 'failed'
  readonly atMs: number
  /** Roles it was aimed at. */
  readonly roles: readonly string[]
}
