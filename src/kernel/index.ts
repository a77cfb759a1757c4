export { type Clock, pause, systemClock } from './clock.ts'
export { describeError, Fault, faultCode } from './errors.ts'
export { createId, createShortId } from './ids.ts'
export { isJsonTextDeep, isJsonValueDeep } from './json-depth.ts'
export { checkLimits, DEFAULT_LIMITS, type Limits, MEMO_LIMITS, PATTERN_LIMITS, TRANSFORMER_LIMITS } from './limits.ts'
export { createLogger, type LogFields, type LogFormat, type Logger, type LogLevel, silentLogger } from './log.ts'
export {
  type MetricFamily,
  type MetricLabels,
  type MetricSample,
  PROMETHEUS_CONTENT_TYPE,
  toHistogramSamples,
  toPrometheusText,
} from './metrics.ts'
export { createQueue, type Queue } from './queue.ts'
