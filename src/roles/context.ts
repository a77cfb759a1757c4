import type { PathKeys, PlatformStatus, ResolvedConfig } from '../contracts/index.ts'
import type { Logger } from '../kernel/index.ts'
import type { Layout } from './layout.ts'

export type RoleName = 'store' | 'cell' | 'edge' | 'control' | 'worker'

/** All a role is given. Roles read no environment and no configuration file. */
export type RoleContext = {
  /** Unique in the platform: `edge`, `cell-a`, `worker-0`. */
  readonly name: string
  readonly role: RoleName
  /** For a cell: which. */
  readonly cell: string | null
  /** The TCP port to listen on (edge, control); 0 picks a free one, and after a restart it is the one picked before. */
  readonly port: number
  readonly config: ResolvedConfig
  readonly layout: Layout
  readonly logger: Logger
  readonly version: string
  /** Private JWK (Ed25519) of viewer tokens; only cells are given it. */
  readonly viewerKey: JsonWebKey | null
  /** Cells sign with the current one, edges verify: those of the moment, the same object until they change. Null for all others. */
  readonly pathKeys: (() => PathKeys) | null
  /** Only control is given it. */
  readonly operatorToken: string | null
  /** Only control is given it: it opens `/metrics` and nothing else. */
  readonly metricsToken: string | null
  /** Where viewers find the watch page; control needs it for links. */
  readonly watchUrl: string | null
}

/** Why a role is not healthy, one sentence each; empty when all is well. `notes`: what people should know though it is healthy. */
export type RoleHealth = { readonly faults: readonly string[]; readonly notes?: readonly string[] }

export type RunningRole = {
  /** The TCP port it listens on, or null. */
  readonly port: number | null
  /** Cheap; asked once a second. */
  health(): RoleHealth | Promise<RoleHealth>
  /** Takes no new work, finishes what is under way within `drainMs`, closes everything. */
  drain(): Promise<void>
}

export type StartRole = (context: RoleContext) => Promise<RunningRole>

/** What the supervisor's socket answers to the call `status` (JSON); `watch` pushes the same on every change. */
export type SupervisorStatus = PlatformStatus
