/**
 * A Discord bot that writes down what is said in a voice channel: `/transcribe` joins the caller's channel and posts sentence by
 * sentence, `/stop` leaves and attaches the subtitles. How to set it up is in the README beside this file.
 */
import { entersState, joinVoiceChannel, VoiceConnectionStatus } from '@discordjs/voice';
import { AttachmentBuilder, Client, Events, GatewayIntentBits, MessageFlags } from 'discord.js';
import { loadModel } from 'parakeet-stream';
import { startSession } from './session.mjs';

const token = process.env.DISCORD_TOKEN;
if (!token) {
  console.error('Usage: DISCORD_TOKEN=… npm start');
  process.exit(2);
}

const model = await loadModel();
const client = new Client({ intents: [GatewayIntentBits.Guilds, GatewayIntentBits.GuildVoiceStates] });
/** What runs, by guild; a promise while it starts. */
const sessions = new Map();
const report = (error, what) => console.error(`${new Date().toISOString()} ${what}: ${error.message}`);

client.on(Events.Error, (error) => report(error, 'discord'));
client.once(Events.ClientReady, async () => {
  await client.application.commands.set([
    { name: 'transcribe', description: 'Join your voice channel and write down what is said' },
    { name: 'stop', description: 'Leave, and attach the subtitles' },
  ]);
});

client.on(Events.InteractionCreate, async (interaction) => {
  if (!interaction.isChatInputCommand()) return;
  try {
    if (interaction.commandName === 'transcribe') await start(interaction);
    if (interaction.commandName === 'stop') await stop(interaction);
  } catch (error) {
    report(error, `/${interaction.commandName}`);
    const message = { content: `That failed: ${error.message}`, flags: MessageFlags.Ephemeral };
    const answered = interaction.deferred || interaction.replied;
    await (answered ? interaction.followUp(message) : interaction.reply(message)).catch(() => {});
  }
});

client.on(Events.VoiceStateUpdate, async (before, after) => {
  if (!before.channelId || before.channelId === after.channelId) return;
  const session = await sessions.get(before.guild.id)?.catch(() => undefined);
  session?.leave(before.id);
});

async function start(interaction) {
  const { guildId, channel: text } = interaction;
  const { channel } = interaction.member.voice;
  if (!channel) throw new Error('join a voice channel first');
  if (sessions.has(guildId)) throw new Error('I am writing already; /stop ends it');
  const starting = open(guildId, channel, text);
  sessions.set(guildId, starting);
  starting.catch(() => sessions.delete(guildId));
  await interaction.deferReply();
  await starting;
  await interaction.editReply(`I write down what is said in ${channel}. Tell everybody. /stop ends it.`);
}

async function open(guildId, channel, text) {
  const connection = joinVoiceChannel({
    channelId: channel.id,
    guildId,
    adapterCreator: channel.guild.voiceAdapterCreator,
    selfDeaf: false,
    selfMute: true,
  });
  connection.on('error', (error) => report(error, 'voice connection'));
  try {
    await entersState(connection, VoiceConnectionStatus.Ready, 20_000);
  } catch {
    connection.destroy();
    throw new Error(`I cannot join ${channel.name}; may I connect there?`);
  }
  return startSession({
    model,
    connection,
    nameOf: (id) => channel.guild.members.cache.get(id)?.displayName ?? id,
    post: (content) => text.send({ content: content.slice(0, 2000), allowedMentions: { parse: [] } }),
    deliver: (file, content) =>
      text.send({ content, files: [new AttachmentBuilder(file, { name: 'talk.srt' })] }),
    report,
    onEnd: () => sessions.delete(guildId),
  });
}

async function stop(interaction) {
  const starting = sessions.get(interaction.guildId);
  if (!starting) throw new Error('nothing is being written');
  await interaction.deferReply();
  const session = await starting;
  await session.stop('That was all.');
  await interaction.editReply('I have left the channel.');
}

let leaving = false;
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, async () => {
    // A second signal does not wait for what is still to be posted.
    if (leaving) process.exit(1);
    leaving = true;
    const open = await Promise.allSettled(sessions.values());
    const running = open.flatMap(({ value }) => (value ? [value] : []));
    await Promise.allSettled(running.map((session) => session.stop('I have to go. This is what I heard.')));
    await client.destroy();
    await model.close();
    process.exit(0);
  });
}

await client.login(token);
