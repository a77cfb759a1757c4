/**
 * `idle`: nothing of a request has come. `head`: a part of one. `exchange`: a request is handled or answered. `discard`: it
 * is answered, and content that nobody read still comes. `refused`: what is no request is being answered. `linger`: our side
 * is closed, what comes is dropped (RFC 9112, 9.6).
 */
export type Phase = 'idle' | 'head' | 'exchange' | 'discard' | 'refused' | 'linger' | 'closed'
