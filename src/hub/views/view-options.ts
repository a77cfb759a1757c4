import type { LogPort } from '../../engines/log/index.ts'
import type { ObjectsPort } from '../../engines/objects/index.ts'
import type { Clock, Limits, Logger } from '../../kernel/index.ts'
import type { ArchiveReader } from '../archive/index.ts'
import type { ViewEvents } from './decode.ts'
import type { ViewDefinition } from './definition.ts'

/** Where a view's snapshots are; of all processes that have the view, one should be told to write them. */
export type ViewSnapshots = { readonly objects: ObjectsPort; readonly isWriter: boolean }

export type ViewLimits = Pick<
  Limits,
  | 'hubViewSnapshotEvents'
  | 'hubViewSnapshotMs'
  | 'hubViewSnapshotBytesMax'
  | 'hubViewIdsMax'
  | 'hubViewWaitsMax'
  | 'hubViewSwitchPollMs'
>

export type ViewSources = {
  readonly log: LogPort
  readonly logger: Logger
  /** Absent: the view is rebuilt from the beginning at each start. */
  readonly snapshots?: ViewSnapshots | undefined
  /** For what the log does not have any more. Absent: that is left out. */
  readonly archive?: Pick<ArchiveReader, 'read'> | undefined
  /** Absent: the platform's events; others on its topics are skipped. */
  readonly events?: ViewEvents | undefined
  readonly limits?: ViewLimits
  readonly clock?: Clock
}

export type ViewOptions<State> = ViewSources & { readonly definition: ViewDefinition<State> }
