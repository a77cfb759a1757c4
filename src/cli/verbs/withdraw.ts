import type { StaffTitle } from '../../contracts/index.ts'
import { findPlatform } from '../staff.ts'
import { parseCommand, type Verb } from './command.ts'

export const withdraw: Verb = async ({ args, environment, terminal }) => {
  const { values, operands } = parseCommand(args, { reason: { type: 'string' }, json: { type: 'boolean' } }, ['ID'])
  const [id = ''] = operands
  const staff = await findPlatform(environment)
  const path = `/api/titles/${encodeURIComponent(id)}/withdraw`
  const title = await staff.call<StaffTitle>('POST', path, { reason: values.reason ?? '' })
  terminal.print(values.json ? JSON.stringify(title) : `withdrawn  ${id}  no new segment anywhere within 5 s`)
  return 0
}
