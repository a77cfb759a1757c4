import { findPlatform } from '../staff.ts'
import { parseCommand, type Verb } from './command.ts'

export const consoleLink: Verb = async ({ args, environment, terminal }) => {
  parseCommand(args, {})
  const staff = await findPlatform(environment)
  const { url } = await staff.call<{ url: string }>('POST', '/api/console-links', {})
  terminal.print(new URL(url, staff.consoleUrl).href)
  return 0
}
