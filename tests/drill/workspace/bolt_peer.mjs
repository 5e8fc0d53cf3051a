// A genuine Bolt for JavaScript app: the independent check of the practice workspace. It says "connected" once it is.
import bolt from "@slack/bolt";

const { SLACK_API_URL, SLACK_BOT_TOKEN, SLACK_APP_TOKEN } = process.env;
const plain = (text) => ({ type: "plain_text", text });
const MODAL = {
  type: "modal",
  callback_id: "pause",
  title: plain("Pause"),
  submit: plain("Propose"),
  blocks: [
    {
      type: "input",
      block_id: "reason",
      label: plain("Reason"),
      element: { type: "plain_text_input", action_id: "text" },
    },
  ],
};

const app = new bolt.App({
  token: SLACK_BOT_TOKEN,
  appToken: SLACK_APP_TOKEN,
  socketMode: true,
  clientOptions: { slackApiUrl: SLACK_API_URL },
  logLevel: bolt.LogLevel.ERROR,
});

app.command("/musd", async ({ ack, body, client }) => {
  await ack("One moment");
  await client.views.open({ trigger_id: body.trigger_id, view: MODAL });
});

app.view("pause", async ({ ack, view, client }) => {
  const reason = view.state.values.reason.text.value;
  if (reason === "none") {
    await ack({ response_action: "errors", errors: { reason: "Say why" } });
    return;
  }
  await ack();
  const button = { type: "button", action_id: "confirm", text: plain("Confirm"), value: "p1" };
  const blocks = [
    { type: "section", text: { type: "mrkdwn", text: `Pause: ${reason}` } },
    { type: "actions", elements: [button] },
  ];
  await client.chat.postMessage({ channel: "#musd-alerts", text: `Pause: ${reason}`, blocks });
});

app.action("confirm", async ({ ack, body, action, respond, client }) => {
  await ack();
  await respond({ text: `Thank you, ${body.user.name}`, response_type: "ephemeral", replace_original: false });
  const text = `Confirmed ${action.value} by <@${body.user.id}>`;
  await client.chat.update({ channel: body.channel.id, ts: body.message.ts, text, blocks: [] });
});

app.event("reaction_added", async ({ event, client }) => {
  await client.chat.postMessage({ channel: event.item.channel, thread_ts: event.item.ts, text: `Marked ${event.reaction}` });
});

await app.start();
console.log("connected");
process.on("SIGTERM", async () => {
  await app.stop();
  process.exit(0);
});
