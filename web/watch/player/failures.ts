import type { Problem } from '../../common/problem.ts'
import type { Failure } from './machine.ts'

/** Somebody ended the session on purpose; the code is the server's. */
export const SESSION_REVOKED = 'session-revoked'

/** The words for a viewing the server would not begin or continue. */
export function describeProblem(problem: Problem): Failure {
  if (problem.code === SESSION_REVOKED) return ENDED
  if (problem.status === 404 || problem.status === 410) return GONE
  const reached = problem.status !== 0
  return {
    code: problem.code,
    heading: reached ? 'The film did not start' : 'There is no connection',
    advice: reached ? `${problem.detail} Try again in a moment.` : 'Check your network, then try again.',
    retryable: true,
  }
}

const GONE: Failure = {
  code: 'gone',
  heading: 'This title is no longer available',
  advice: 'It was taken down while you were here. There are other films on the home page.',
  retryable: false,
}

const ENDED: Failure = {
  code: SESSION_REVOKED,
  heading: 'This viewing was ended',
  advice: 'It was ended from another device, or by the service. Try again to go on where it stopped.',
  retryable: true,
}

/** What the media engine met, said without its vendor's words. */
export type EngineFault =
  | { readonly kind: 'status'; readonly status: number }
  | { readonly kind: 'network' | 'unsupported' | 'decode' | 'other'; readonly code: string }

/** The words for a film that could not be fetched, decoded or shown. A status of 403 is not for here: the token is renewed. */
export function describeFault(fault: EngineFault): Failure {
  if (fault.kind === 'status') return describeStatus(fault.status)
  switch (fault.kind) {
    case 'network':
      return {
        code: fault.code,
        heading: 'The connection was lost',
        advice: 'Check your network, then try again. The film goes on where it stopped.',
        retryable: true,
      }
    case 'unsupported':
      return {
        code: fault.code,
        heading: 'This browser cannot play the film',
        advice: 'Use a current version of Chrome, Edge, Firefox or Safari.',
        retryable: false,
      }
    case 'decode':
      return {
        code: fault.code,
        heading: 'The picture could not be shown',
        advice: 'Try again. If it happens at the same place, choose another quality.',
        retryable: true,
      }
    case 'other':
      return {
        code: fault.code,
        heading: 'The film stopped',
        advice: 'Something unforeseen happened. Try again.',
        retryable: true,
      }
  }
}

function describeStatus(status: number): Failure {
  if (status === 404 || status === 410) return GONE
  return {
    code: `http-${status}`,
    heading: 'This part of the film is not ready',
    advice: 'It is still being prepared. Wait a moment, then try again; it goes on where it stopped.',
    retryable: true,
  }
}
