/** A command did not do what it was asked; the message is for the person who asked, and needs no stack. */
export class CommandError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'CommandError';
  }
}
