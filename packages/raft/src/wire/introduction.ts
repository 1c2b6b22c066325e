// What a stranger must say before it is taken for a member, and in which order. Nothing is believed on the way: the
// listener does as it is told here, and everything but the greeting of a member ends the connection.
import type { NodeId } from '../core/message.ts';
import type { ProtocolVersion } from '../versions.ts';
import type { Frame } from './frame.ts';
import { agreedVersion, decodeGreeting, type Greeting, type RefusalReason } from './handshake.ts';
import { createChallenge, decodeHail, type Hail, SecretSession } from './security/secret.ts';
import type { ReadySecurity } from './security/security.ts';
import type { Hello } from './transport.ts';

export interface IntroductionOptions {
  readonly id: NodeId;
  /** Who may introduce himself under this name? */
  readonly knows: (id: NodeId) => boolean;
  readonly security: ReadySecurity;
  readonly hello: () => Hello;
  /** Whom its certificate names; everybody, where no certificate was asked for. */
  readonly names: (id: NodeId) => boolean;
}

export type Introduced =
  | { readonly kind: 'challenged'; readonly challenge: Buffer; readonly session: SecretSession }
  | {
      readonly kind: 'introduced';
      readonly greeting: Greeting;
      readonly version: ProtocolVersion;
      readonly ours: Hello;
    }
  /** `hello`: of a member, as far as names go. */
  | { readonly kind: 'refused'; readonly reason: RefusalReason; readonly hello?: Hello }
  | { readonly kind: 'broken' };

const refused = (reason: RefusalReason): Introduced => ({ kind: 'refused', reason });

export class Introduction {
  readonly #options: IntroductionOptions;
  #hail: Hail | undefined;

  constructor(options: IntroductionOptions) {
    this.#options = options;
  }

  /** @param frame opened by the session of 'challenged', once there is one */
  hear({ kind, body }: Frame): Introduced {
    const { security } = this.#options;
    if (security.kind === 'secret' && this.#hail === undefined) {
      return kind === 'hail' ? this.#hailed(body, security.accepted) : refused('security');
    }
    if (kind === 'hail' && security.kind !== 'secret') return refused('security');
    const greeting = kind === 'greeting' ? decodeGreeting(body) : undefined;
    return greeting === undefined ? { kind: 'broken' } : this.#greeted(greeting);
  }

  #hailed(body: Buffer, accepted: readonly string[]): Introduced {
    const hail = decodeHail(body);
    if (hail === undefined) return { kind: 'broken' };
    const fault = this.#nameFault(hail.to, hail.from);
    if (fault !== undefined) return refused(fault);
    this.#hail = hail;
    const challenge = createChallenge();
    return { kind: 'challenged', challenge, session: SecretSession.answered(accepted, body, challenge) };
  }

  #greeted(greeting: Greeting): Introduced {
    const { hello, names } = this.#options;
    const { to, lane, hello: theirs } = greeting;
    const hail = this.#hail ?? { from: theirs.id, to, lane };
    if (hail.from !== theirs.id || hail.to !== to || hail.lane !== lane) return refused('secret');
    const fault = this.#nameFault(to, theirs.id);
    if (fault !== undefined) return refused(fault);
    if (!names(theirs.id)) return refused('certificate');
    const ours = hello();
    const version = agreedVersion(ours.versions, theirs.versions);
    if (version !== undefined) return { kind: 'introduced', greeting, version, ours };
    const isNewer = Math.min(...theirs.versions) > Math.max(...ours.versions);
    return { kind: 'refused', reason: isNewer ? 'newer' : 'version', hello: theirs };
  }

  #nameFault(to: NodeId, from: NodeId): RefusalReason | undefined {
    const { id, knows } = this.#options;
    if (to !== id) return 'wrongReceiver';
    return knows(from) ? undefined : 'unknownMember';
  }
}
