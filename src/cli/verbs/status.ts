import type { PlatformStatus, RoleStatus } from '../../contracts/index.ts'
import { DEFAULT_LIMITS } from '../../kernel/index.ts'
import { layoutOf } from '../../roles/index.ts'
import { createWireClient } from '../../wire/index.ts'
import { findPlatform } from '../staff.ts'
import { toTable } from '../table.ts'
import { parseCommand, type Verb } from './command.ts'

const ANSWER_WAIT_MS = 3_000

/** Asks the supervisor itself: it answers when control does not. Exit code 0 when all is well, else 1. */
export const status: Verb = async ({ args, environment, terminal }) => {
  const { values } = parseCommand(args, { json: { type: 'boolean' } })
  const { home } = await findPlatform(environment)
  const client = createWireClient({ path: layoutOf(home).supervisorSocket, limits: DEFAULT_LIMITS })
  try {
    const answer = await client.call(Buffer.from('status'), { timeoutMs: ANSWER_WAIT_MS })
    const platform = JSON.parse(Buffer.from(answer).toString()) as PlatformStatus // the supervisor's own words
    if (values.json) terminal.print(JSON.stringify(platform))
    else for (const line of describe(platform)) terminal.print(line)
    return platform.healthy ? 0 : 1
  } finally {
    client.close()
  }
}

function describe(platform: PlatformStatus): string[] {
  const upSeconds = Math.round((Date.now() - platform.startedAtMs) / 1000)
  return [
    `${platform.healthy ? 'healthy' : 'NOT healthy'}, version ${platform.version}, up ${toDuration(upSeconds)}`,
    `watch ${platform.watchUrl}  console ${platform.consoleUrl}`,
    '',
    ...toTable(
      ['role', 'state', 'pid', 'restarts', 'for', ''],
      platform.roles.map((role) => [
        role.name,
        role.state,
        pidOf(role),
        String(role.restarts),
        ageOf(role),
        role.detail ?? '',
      ]),
    ),
  ]
}

const pidOf = (role: RoleStatus): string => (role.pid === null ? '-' : String(role.pid))
const ageOf = (role: RoleStatus): string => toDuration(Math.max(0, Math.round((Date.now() - role.sinceMs) / 1000)))

function toDuration(seconds: number): string {
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} min`
  return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`
}
