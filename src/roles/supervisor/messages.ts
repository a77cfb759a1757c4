import type { PathKeys, ResolvedConfig } from '../../contracts/index.ts'
import type { LogFormat } from '../../kernel/index.ts'
import type { RoleName } from '../context.ts'

/** A role's context as data: what the child cannot carry over IPC (layout, logger) it makes itself. */
export type RoleStartData = {
  readonly name: string
  readonly role: RoleName
  readonly cell: string | null
  readonly port: number
  readonly config: ResolvedConfig
  readonly version: string
  readonly logFormat: LogFormat
  readonly viewerKey: JsonWebKey | null
  readonly pathKeys: PathKeys | null
  readonly operatorToken: string | null
  readonly metricsToken: string | null
  readonly watchUrl: string | null
}

/** From the supervisor to a role. */
export type ToRole =
  | { readonly type: 'start'; readonly data: RoleStartData }
  | { readonly type: 'ping' }
  | { readonly type: 'drain' }
  /** Only to roles that were started with some. */
  | { readonly type: 'keys'; readonly pathKeys: PathKeys }

/** From a role to the supervisor. */
export type FromRole =
  /** The child listens now: what was sent before might have been lost. */
  | { readonly type: 'hello' }
  | { readonly type: 'ready'; readonly port: number | null; readonly faults: readonly string[] }
  /** `faults` is null while the role is starting. */
  | { readonly type: 'pong'; readonly faults: readonly string[] | null }
  | { readonly type: 'failed'; readonly code: string; readonly message: string }
