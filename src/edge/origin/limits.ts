import type { Limits } from '../../kernel/index.ts'

/** What of the limits talking to origins keeps to; each is explained in kernel/limits.ts. */
export type OriginLimits = Pick<
  Limits,
  | 'edgeOriginConnectTimeoutMs'
  | 'edgeOriginHeadTimeoutMs'
  | 'edgeOriginSilenceMs'
  | 'edgeOriginExchangeMs'
  | 'edgeOriginFailoverMs'
  | 'edgeOriginTriesMax'
  | 'edgeOriginFailuresMax'
  | 'edgeOriginRetryMinMs'
  | 'edgeOriginRetryMaxMs'
  | 'edgeOriginConnectionsMax'
  | 'edgeOriginConnectionsIdleMax'
  | 'edgeOriginHeadBytesMax'
>

/** The same for what is fetched once for many. */
export type SharedFetchLimits = Pick<
  Limits,
  'edgeFetchesMax' | 'edgeFetchWindowBytes' | 'edgeFetchPoolBytes' | 'edgeFetchAloneMs' | 'edgeFetchAloneKeysMax'
>
