// The emoji shortcodes an incident channel meets; any other stays readable as :name:.

const TABLE = `
white_check_mark ✅ heavy_check_mark ✔️ ballot_box_with_check ☑️ x ❌ negative_squared_cross_mark ❎ warning ⚠️ rotating_light 🚨
fire 🔥 boom 💥 bell 🔔 no_bell 🔕 mega 📣 loudspeaker 📢 speech_balloon 💬 thread 🧵 eyes 👀 mag 🔍 mag_right 🔎
hourglass ⌛ hourglass_flowing_sand ⏳ stopwatch ⏱️ alarm_clock ⏰ clock1 🕐 watch ⌚ calendar 📅 spiral_calendar_pad 🗓️
large_green_circle 🟢 green_circle 🟢 large_yellow_circle 🟡 large_orange_circle 🟠 red_circle 🔴 large_red_circle 🔴
large_blue_circle 🔵 blue_circle 🔵 white_circle ⚪ black_circle ⚫ large_green_square 🟩 large_yellow_square 🟨
large_orange_square 🟧 large_red_square 🟥 white_large_square ⬜ black_large_square ⬛ large_blue_square 🟦
double_vertical_bar ⏸️ pause_button ⏸️ arrow_forward ▶️ play_or_pause_button ⏯️ black_square_for_stop ⏹️ octagonal_sign 🛑 stop_sign 🛑
arrows_counterclockwise 🔄 arrows_clockwise 🔃 repeat 🔁 arrow_right ➡️ arrow_left ⬅️ arrow_up ⬆️ arrow_down ⬇️ arrow_up_small 🔼
no_entry ⛔ no_entry_sign 🚫 construction 🚧 question ❓ grey_question ❔ exclamation ❗ heavy_exclamation_mark ❗ bangbang ‼️ information_source ℹ️
lock 🔒 unlock 🔓 key 🔑 old_key 🗝️ shield 🛡️ closed_lock_with_key 🔐 link 🔗 bridge_at_night 🌉 chains ⛓️
wrench 🔧 hammer 🔨 hammer_and_wrench 🛠️ gear ⚙️ toolbox 🧰 package 📦 rocket 🚀 zap ⚡ test_tube 🧪 dart 🎯
chart_with_upwards_trend 📈 chart_with_downwards_trend 📉 bar_chart 📊 moneybag 💰 dollar 💵 bank 🏦 coin 🪙 fuelpump ⛽
page_facing_up 📄 page_with_curl 📃 memo 📝 pencil ✏️ pencil2 ✏️ clipboard 📋 bookmark_tabs 📑 books 📚 book 📖 ledger 📒 scroll 📜
open_file_folder 📂 file_folder 📁 floppy_disk 💾 card_file_box 🗃️ pushpin 📌 round_pushpin 📍 paperclip 📎 camera 📷 wastebasket 🗑️
robot_face 🤖 wave 👋 raised_hand ✋ +1 👍 thumbsup 👍 -1 👎 thumbsdown 👎 pray 🙏 clap 👏 tada 🎉 muscle 💪 handshake 🤝 ok_hand 👌
smile 😄 slightly_smiling_face 🙂 thinking_face 🤔 sweat_smile 😅 cry 😢 heart ❤️ bulb 💡 star ⭐ sparkles ✨ 100 💯
bust_in_silhouette 👤 busts_in_silhouette 👥 pager 📟 telephone_receiver 📞 phone ☎️ email 📧 satellite_antenna 📡 globe_with_meridians 🌐
hospital 🏥 ambulance 🚑 helmet_with_white_cross ⛑️ fire_engine 🚒 firefighter 🧑‍🚒 police_car 🚓 snowflake ❄️ seedling 🌱 herb 🌿
one 1️⃣ two 2️⃣ three 3️⃣ four 4️⃣ five 5️⃣ six 6️⃣ seven 7️⃣ eight 8️⃣ nine 9️⃣ keycap_ten 🔟 new 🆕 ok 🆗 sos 🆘 end 🔚 soon 🔜`;

const WORDS = TABLE.trim().split(/\s+/);
const SIGNS = new Map();
for (let at = 0; at < WORDS.length; at += 2) SIGNS.set(WORDS[at], WORDS[at + 1]);

/** What a shortcode such as `white_check_mark` looks like; `:name:` where it is not known. */
export function emoji(name) {
  return SIGNS.get(name) ?? `:${name}:`;
}

/** Replace the known shortcodes of a plain text. */
export function withEmoji(text) {
  return text.replace(/:([a-z0-9_+-]+):/g, (whole, name) => SIGNS.get(name) ?? whole);
}

/** The ones offered for a reaction. */
export const REACTIONS = ["eyes", "white_check_mark", "+1", "pushpin", "memo", "tada"];
