/**
 * A Discord bot that writes down what is said in a voice channel: `/transcribe` joins the caller's channel and posts sentence by
 * sentence, `/stop` leaves and attaches the subtitles.
 *
 *     cd examples/discord-bot && npm install && DISCORD_TOKEN=… npm start
 *
 * The bot needs the scopes bot and applications.commands, and the permissions to connect and to send messages and files.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { entersState, joinVoiceChannel, VoiceConnectionStatus } from '@discordjs/voice';
import { AttachmentBuilder, Client, Events, GatewayIntentBits, MessageFlags } from 'discord.js';
import { loadModel } from 'parakeet-stream';
import { listen } from './transcriber.mjs';

const token = process.env.DISCORD_TOKEN;
if (!token) throw new Error('Usage: DISCORD_TOKEN=… node examples/discord-bot/bot.mjs');

const model = await loadModel();
const client = new Client({
  intents: [GatewayIntentBits.Guilds, GatewayIntentBits.GuildVoiceStates],
});
/** What runs, by guild. */
const sessions = new Map();

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
    const message = { content: `That failed: ${error.message}`, flags: MessageFlags.Ephemeral };
    await (interaction.deferred || interaction.replied
      ? interaction.followUp(message)
      : interaction.reply(message));
  }
});

client.on(Events.VoiceStateUpdate, (before, after) => {
  if (before.channelId && before.channelId !== after.channelId) {
    sessions.get(before.guild.id)?.transcript.leave(before.id);
  }
});

async function start(interaction) {
  const { channel } = interaction.member.voice;
  if (!channel) throw new Error('join a voice channel first');
  if (sessions.has(interaction.guildId)) throw new Error('I am writing already; /stop ends it');
  await interaction.deferReply();
  const connection = joinVoiceChannel({
    channelId: channel.id,
    guildId: channel.guild.id,
    adapterCreator: channel.guild.voiceAdapterCreator,
    selfDeaf: false,
    selfMute: true,
  });
  try {
    await entersState(connection, VoiceConnectionStatus.Ready, 20_000);
  } catch (error) {
    connection.destroy();
    throw error;
  }
  const folder = await mkdtemp(path.join(tmpdir(), 'parakeet-discord-'));
  const subtitles = path.join(folder, 'talk.srt');
  const transcript = listen({
    model,
    receiver: connection.receiver,
    nameOf: (id) => channel.guild.members.cache.get(id)?.displayName ?? id,
    post: (text) =>
      interaction.channel.send({ content: text.slice(0, 2000), allowedMentions: { parse: [] } }),
    subtitles,
  });
  sessions.set(interaction.guildId, { connection, transcript, folder, subtitles });
  await interaction.editReply(`I write down what is said in ${channel}. Tell everybody. /stop ends it.`);
}

async function stop(interaction) {
  const session = sessions.get(interaction.guildId);
  if (!session) throw new Error('nothing is being written');
  sessions.delete(interaction.guildId);
  await interaction.deferReply();
  try {
    await session.transcript.stop();
    const file = new AttachmentBuilder(session.subtitles, { name: 'talk.srt' });
    await interaction.editReply({ content: 'That was all.', files: [file] });
  } finally {
    session.connection.destroy();
    await rm(session.folder, { recursive: true, force: true });
  }
}

process.once('SIGINT', async () => {
  for (const { connection, transcript } of sessions.values()) {
    await transcript.stop().catch(() => {});
    connection.destroy();
  }
  await client.destroy();
  await model.close();
});

await client.login(token);
