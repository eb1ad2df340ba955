/**
 * A failure of the build that its user can fix: the message names what is wrong and the command that helps.
 */
export class InstallError extends Error {}
