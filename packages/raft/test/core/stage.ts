// Plays a text scenario: each command of the script is followed by what happens. See scenarios/README.md.
import type { CoreConfig, MembershipChange } from '../../src/core/core.ts';
import { decodeConfiguration } from '../../src/core/membership/configuration.ts';
import type { Entry, Message, MessageKind, MessageOf, NodeId } from '../../src/core/message.ts';
import { command, Member, memberOf, TestDisk } from './harness.ts';

type Step = (...words: string[]) => void;

export class Stage {
  readonly #members = new Map<NodeId, Member>();
  readonly #slowDisks = new Set<NodeId>();
  readonly #crashed = new Set<NodeId>();
  readonly #cut = new Set<string>();
  /** Every draw is the middle: an election timeout is 15 ticks. */
  #config: Partial<CoreConfig> = { random: () => 0.5 };
  #network: Message[] = [];
  #lines: string[] = [];
  readonly #known = new Map<NodeId, string>();

  /** The script as it should be: its comments and commands, and below each command what happened. */
  play(script: string): string {
    const told: string[] = [];
    for (const line of script.split('\n')) {
      if (line === '' || line.startsWith('#')) told.push(line);
      if (!line.startsWith('> ')) continue;
      this.#lines = [];
      this.#do(line.slice(2).trim().split(/\s+/));
      told.push(line, ...this.#lines.map((happened) => `  ${happened}`));
    }
    return `${told.join('\n').trimEnd()}\n`;
  }

  readonly #steps: ReadonlyMap<string, Step> = new Map<string, Step>([
    ['nodes', (...ids) => ids.forEach((id) => this.#members.set(id, new Member(id, ids, this.#config)))],
    ['join', (id = '') => this.#members.set(id, new Member(id, [], this.#config))],
    ['learner', (id = '', who = '') => this.#change(id, { kind: 'addLearner', member: memberOf(who) })],
    ['promote', (id = '', who = '') => this.#change(id, { kind: 'promote', id: who })],
    ['remove', (id = '', who = '') => this.#change(id, { kind: 'remove', id: who })],
    ['small', () => (this.#config = { ...this.#config, maxAppendBytes: 1 })],
    ['disk', (id = '', ...words) => this.#setDisk(id, words)],
    ['campaign', (id = '') => this.#campaign(this.#member(id))],
    ['tick', (id = '', ticks = '1') => this.#each(id, (member) => member.tick(Number(ticks)))],
    ['propose', (id = '', text = '') => this.#propose(id, text)],
    ['lead', (id = '') => this.#lead(id)],
    ['pass', (...where) => this.#pass(where)],
    ['deliver', (...where) => this.#deliver(where)],
    ['lose', (...where) => this.#lose(where)],
    ['repeat', (...where) => this.#network.push(...this.#network.filter((message) => isOn(message, where)))],
    ['cut', (...ids) => this.#cutOff(ids)],
    ['mend', () => this.#cut.clear()],
    ['slow', (id = '') => this.#slowDisks.add(id)],
    ['fast', (id = '') => this.#slowDisks.delete(id)],
    ['stalled', (id = '') => this.#member(id).core.diskStalled()],
    ['down', (peer = '', id = 'all') => this.#each(id, (member) => member.core.peerDown(peer))],
    ['write', (id = '') => this.#network.push(...this.#member(id).finishWrite())],
    ['compact', (id = '', to = '') => this.#member(id).disk.compact(Number(to) + 1)],
    ['state', (from = '', to = '') => this.#giveState(from, to)],
    ['installed', (id = '', peer = '', index = '') => this.#member(id).core.snapshotInstalled(peer, Number(index))],
    ['read', (id = '', context = '') => this.#member(id).core.readIndex(Number(context))],
    ['transfer', (id = '', to) => this.#transfer(id, to)],
    ['stepdown', (id = '') => this.#member(id).core.stepDown()],
    ['reset', (id = '', peer = '') => this.#member(id).core.peerReset(peer)],
    ['crash', (id = '') => this.#crash(id)],
    ['restart', (id = '') => this.#restart(id)],
    ['show', () => this.#show()],
  ]);

  #do([verb = '', ...words]: string[]): void {
    const step = this.#steps.get(verb);
    if (step === undefined) throw new Error(`no such command: ${verb}`);
    step(...words);
    this.#turnAll();
  }

  #setDisk(id: NodeId, words: string[]): void {
    const terms = words.slice(words.indexOf('log') + 1).map(Number);
    const term = words[0] === 'term' ? Number(words[1]) : (terms.at(-1) ?? 0);
    const voters = [...this.#members.keys()];
    this.#members.set(id, new Member(id, voters, this.#config, new TestDisk(terms, { term, vote: undefined })));
    this.#known.set(id, this.#stateOf(this.#member(id)));
  }

  #campaign(member: Member): void {
    for (let ticks = 0; member.status.role !== 'preCandidate'; ticks += 1) {
      if (ticks > 100) throw new Error(`${member.id} does not campaign`);
      member.tick();
      this.#turn(member);
    }
  }

  #propose(id: NodeId, text: string): void {
    const answer = this.#member(id).core.propose(command(text));
    this.#lines.push(
      answer.kind === 'appended' ? `${id} appends ${answer.index}/${answer.term}` : `${id} refuses: ${answer.reason}`,
    );
  }

  #change(id: NodeId, change: MembershipChange): void {
    const answer = this.#member(id).core.changeMembership(change);
    this.#lines.push(
      answer.kind === 'appended' ? `${id} appends ${answer.index}/${answer.term}` : `${id} refuses: ${answer.reason}`,
    );
  }

  #giveState(from: NodeId, to: NodeId): void {
    const state = this.#member(from).state();
    const last = state.entries.at(-1);
    this.#lines.push(`${to} has the state of ${last?.index}/${last?.term}: ${this.#member(to).restore(state)}`);
  }

  #transfer(id: NodeId, to: NodeId | undefined): void {
    const answer = this.#member(id).core.transferLeadership(to);
    this.#lines.push(
      answer.kind === 'started' ? `${id} hands over to ${answer.to}` : `${id} refuses: ${answer.reason}`,
    );
  }

  /** Until `id` leads and everybody knows; the messages are those of election.txt. */
  #lead(id: NodeId): void {
    const lines = this.#lines;
    this.#lines = [];
    this.#campaign(this.#member(id));
    this.#deliver([]);
    this.#lines = [...lines, `${id} leads term ${this.#member(id).status.term}`];
  }

  /** What is under way where it says, and whatever follows from it there. */
  #deliver(where: string[]): void {
    for (let round = 0; round < 100; round += 1) if (!this.#pass(where)) return;
  }

  /** What is under way there now, and not what follows. */
  #pass(where: string[]): boolean {
    const arriving = this.#network.filter((message) => isOn(message, where));
    this.#network = this.#network.filter((message) => !isOn(message, where));
    for (const message of arriving) this.#arrive(message);
    return arriving.length > 0;
  }

  #arrive(message: Message): void {
    const isLost = this.#crashed.has(message.to) || this.#cut.has(`${message.from}>${message.to}`);
    this.#lines.push(`${message.from} > ${message.to}  ${describe(message)}${isLost ? '  (lost)' : ''}`);
    if (isLost) return;
    const member = this.#member(message.to);
    member.core.step(message);
    this.#tellChange(member);
    this.#turn(member);
  }

  #lose(where: string[]): void {
    for (const message of this.#network.filter((sent) => isOn(sent, where))) {
      this.#lines.push(`${message.from} > ${message.to}  ${describe(message)}  (lost)`);
    }
    this.#network = this.#network.filter((message) => !isOn(message, where));
  }

  #cutOff(ids: string[]): void {
    for (const id of ids) {
      for (const other of this.#members.keys()) {
        if (ids.includes(other)) continue;
        this.#cut.add(`${id}>${other}`);
        this.#cut.add(`${other}>${id}`);
      }
    }
  }

  #crash(id: NodeId): void {
    this.#crashed.add(id);
    this.#known.delete(id);
    this.#network = this.#network.filter((message) => message.from !== id);
  }

  #restart(id: NodeId): void {
    this.#crashed.delete(id);
    this.#member(id).restart();
  }

  #show(): void {
    for (const member of this.#members.values()) {
      const { role, term, commit } = member.status;
      const terms = member.disk.log.map(({ index, term }) => (index < member.disk.firstIndex ? '-' : term)).join(' ');
      const state = this.#crashed.has(member.id) ? 'crashed' : `${role} in term ${term}, commit ${commit}`;
      this.#lines.push(`${member.id}  ${state}, disk: ${terms}`);
    }
  }

  #turnAll(): void {
    for (const member of this.#alive()) this.#turn(member);
  }

  #turn(member: Member): void {
    if (this.#slowDisks.has(member.id)) this.#network.push(...member.turn());
    else this.#network.push(...member.settle());
    this.#tellChange(member);
    this.#tellReads(member);
    for (const peer of member.snapshotsFor.splice(0)) this.#lines.push(`        ${member.id}: ${peer} needs the state`);
  }

  /** A change of role, term or commit index is told when it happens. */
  #tellChange(member: Member): void {
    const now = this.#stateOf(member);
    const before = this.#known.get(member.id) ?? 'follower in term 0, commit 0';
    this.#known.set(member.id, now);
    if (now !== before) this.#lines.push(`        ${member.id}: ${now}`);
  }

  #tellReads({ id, reads }: Member): void {
    for (const read of reads.splice(0)) {
      this.#lines.push(`        ${id}: read ${read.context} ${read.kind === 'ready' ? `at ${read.index}` : 'failed'}`);
    }
  }

  #stateOf({ status: { role, term, commit, leader } }: Member): string {
    const ofLeader = role === 'follower' && leader !== undefined ? ` of ${leader}` : '';
    return `${role}${ofLeader} in term ${term}, commit ${commit}`;
  }

  #alive(): Member[] {
    return [...this.#members.values()].filter((member) => !this.#crashed.has(member.id));
  }

  #each(id: NodeId, act: (member: Member) => void): void {
    for (const member of id === 'all' ? this.#alive() : [this.#member(id)]) act(member);
  }

  #member(id: NodeId): Member {
    const member = this.#members.get(id);
    if (member === undefined) throw new Error(`no such node: ${id}`);
    return member;
  }
}

/** Nowhere in particular: everything. `a>b`: that link. `a b c`: between those. */
function isOn(message: Message, where: readonly string[]): boolean {
  if (where.length === 0) return true;
  if (where.includes(`${message.from}>${message.to}`)) return true;
  return where.includes(message.from) && where.includes(message.to);
}

const describe = <K extends MessageKind>(message: MessageOf<K>): string => sentences[message.kind](message);

const sayEntry = ({ index, term, kind, payload }: Entry): string => {
  const said = kind === 'configuration' ? decodeConfiguration(payload) : undefined;
  if (said === undefined) return `${index}/${term}`;
  const names = [...said.voters.map(({ id }) => id), ...said.learners.map(({ id }) => `(${id})`)];
  return `${index}/${term}[${names.join(' ')}]`;
};

const ofRound = (round: number): string => (round === 0 ? '' : `, round ${round}`);

const sentences: { readonly [K in MessageKind]: (message: MessageOf<K>) => string } = {
  preVoteRequest: ({ term, lastIndex, lastTerm }) =>
    `would you vote for me in term ${term}? my log ends ${lastIndex}/${lastTerm}`,
  voteRequest: ({ term, lastIndex, lastTerm, transfer }) =>
    `vote for me in term ${term}${transfer ? ', as the leader wants' : ''}! my log ends ${lastIndex}/${lastTerm}`,
  preVoteResponse: ({ term, granted }) => (granted ? `I would, in term ${term}` : `I would not, my term is ${term}`),
  voteResponse: ({ term, granted }) => (granted ? `my vote of term ${term}` : `no vote, my term is ${term}`),
  appendRequest: ({ term, previousIndex, previousTerm, entries, commit }) => {
    const positions = entries.map(sayEntry).join(' ');
    return `term ${term}: after ${previousIndex}/${previousTerm} append ${positions || 'nothing'}, commit ${commit}`;
  },
  appendResponse: ({ term, accepted, index, hintIndex, hintTerm }) =>
    accepted
      ? `term ${term}: have all to ${index}`
      : `term ${term}: nothing like that at ${index}, look at ${hintIndex}/${hintTerm}`,
  heartbeat: ({ term, commit, round }) => `term ${term}: I live, commit ${commit}${ofRound(round)}`,
  heartbeatResponse: ({ term, round }) => `term ${term}: so do I${ofRound(round)}`,
  timeoutNow: ({ term }) => `term ${term}: stand for election now`,
  readRequest: ({ term }) => `term ${term}: where may I read?`,
  readResponse: ({ term, granted, index }) => (granted ? `term ${term}: read at ${index}` : `term ${term}: not of me`),
};
