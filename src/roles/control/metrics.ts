import type { PlatformStatus } from '../../contracts/index.ts'
import { type MetricFamily, type MetricSample, PROMETHEUS_CONTENT_TYPE, toPrometheusText } from '../../kernel/index.ts'

/** `GET /metrics`: the platform's roles as the supervisor sees them, and what the edge counted. */
export async function toMetricsResponse(options: {
  readonly status: PlatformStatus | null
  readonly version: string
  readonly edge: () => Promise<string | null>
}): Promise<Response> {
  const { status, version } = options
  const edge = await options.edge()
  const families = [...platformFamilies(status, version), edgeAnsweredFamily(edge !== null)]
  return new Response(toPrometheusText(families) + (edge ?? ''), {
    headers: { 'content-type': PROMETHEUS_CONTENT_TYPE, 'cache-control': 'no-store' },
  })
}

/** Without the supervisor's word nothing is said of roles: no figure is better than an old one. */
export function platformFamilies(status: PlatformStatus | null, version: string): MetricFamily[] {
  const gauge = (name: string, help: string, samples: MetricSample[]): MetricFamily => ({
    name: `tentpole_${name}`,
    type: 'gauge',
    help,
    samples,
  })
  const roles = status?.roles ?? []
  const labelsOf = ({ name, role }: (typeof roles)[number]): Record<string, string> => ({ role: name, kind: role })
  return [
    gauge('build_info', 'The version that runs, as a label.', [{ labels: { version }, value: 1 }]),
    gauge('supervisor_up', 'Whether the supervisor is heard.', [{ labels: {}, value: status === null ? 0 : 1 }]),
    gauge(
      'platform_healthy',
      'Whether every role is healthy.',
      status === null ? [] : [{ labels: {}, value: status.healthy ? 1 : 0 }],
    ),
    gauge(
      'start_time_seconds',
      'When the platform was started, seconds since 1970.',
      status === null ? [] : [{ labels: {}, value: status.startedAtMs / 1000 }],
    ),
    gauge(
      'role_up',
      'Whether a role is healthy.',
      roles.map((role) => ({ labels: labelsOf(role), value: role.state === 'healthy' ? 1 : 0 })),
    ),
    {
      name: 'tentpole_role_restarts_total',
      type: 'counter',
      help: 'How often a role was started again since the platform was.',
      samples: roles.map((role) => ({ labels: labelsOf(role), value: role.restarts })),
    },
  ]
}

function edgeAnsweredFamily(answered: boolean): MetricFamily {
  return {
    name: 'tentpole_edge_answered',
    type: 'gauge',
    help: 'Whether the edge said in time what it counts; without it nothing of the edge follows.',
    samples: [{ labels: {}, value: answered ? 1 : 0 }],
  }
}
