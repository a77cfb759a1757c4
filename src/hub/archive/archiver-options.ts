import type { LogPort } from '../../engines/log/index.ts'
import type { ObjectsPort } from '../../engines/objects/index.ts'
import type { TablesPort } from '../../engines/tables/index.ts'
import type { Clock, Limits, Logger } from '../../kernel/index.ts'

export type ArchiverLimits = Pick<
  Limits,
  | 'hubArchiveBytesMin'
  | 'hubArchiveAgeMs'
  | 'hubArchivePollMs'
  | 'hubArchiveBlockBytes'
  | 'hubArchiveLeaseMs'
  | 'logRecordBytesMax'
  | 'logRetentionBytes'
>

export type ArchiverOptions = {
  readonly log: LogPort
  readonly objects: ObjectsPort
  readonly tables: TablesPort
  readonly topics: readonly string[]
  /** Those whose log is trimmed to `logRetentionBytes`, as far as they are archived. */
  readonly trimmedTopics: readonly string[]
  /** The first offset that somebody who reads the log alone still wants; null: nobody. Absent: nobody ever. */
  readonly neededFrom?: (topic: string, partition: number) => number | null
  /** For people who read the lease row. */
  readonly owner: string
  readonly limits: ArchiverLimits
  readonly logger: Logger
  readonly clock?: Clock
}
