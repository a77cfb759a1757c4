import { type Revoked, revokedResponseSchema, revokeRequestSchema, sessionIdSchema } from '../../contracts/index.ts'
import { tellEdges } from '../tell-edges.ts'
import { UsageError } from '../usage.ts'
import { parseCommand, type Verb } from './command.ts'

export const revoke: Verb = async ({ args, environment, terminal }) => {
  const { values, operands } = parseCommand(args, { reason: { type: 'string' }, json: { type: 'boolean' } }, [
    'SESSION',
  ])
  const id = sessionIdSchema.safeParse(operands[0])
  if (!id.success) throw new UsageError(id.error.issues[0]?.message ?? 'expected a session id')
  const reason = values.reason ?? ''
  const revoked = await tellEdges<Revoked>(environment, {
    path: `/api/sessions/${encodeURIComponent(id.data)}/revoke`,
    body: { reason },
    bodySchema: revokeRequestSchema,
    answerSchema: revokedResponseSchema,
    async publish(publisher) {
      const said = { sessionId: id.data, revokedAtMs: Date.now() }
      await publisher.publish('tentpole.session.revoked.v1', id.data, { ...said, reason })
      return said
    },
  })
  terminal.print(values.json ? JSON.stringify(revoked) : `revoked  ${id.data}  no new segment anywhere within 5 s`)
  return 0
}
