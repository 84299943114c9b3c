package phone

import (
	"golang.org/x/text/language"
)

// Words are what is read out to somebody.
type Words struct {
	Language string // as the telephone service names it
	Ask      string // who has no PIN
	PIN      string // who has one
	Again    string // after wrong keys
	Thanks   string
	Over     string // the call is about nothing any more, or nobody answers
}

// spoken are the languages that the telephone service speaks of those that the pages have; the first is for all others.
var spoken = []language.Tag{
	language.English, language.German, language.Spanish, language.French, language.Italian, language.Dutch, language.Polish, language.Portuguese,
	language.Japanese, language.SimplifiedChinese,
}

var matcher = language.NewMatcher(spoken)

// WordsIn gives the words of a culture (BCP 47).
func WordsIn(culture string) Words {
	_, at, sure := matcher.Match(language.Make(culture))
	if sure == language.No {
		at = 0
	}
	return words[at]
}

// words are in the order of spoken.
var words = []Words{
	{
		"en-US", "Somebody is signing in to your account. If it is you, press 1. If it is not you, press 9.",
		"Somebody is signing in to your account. If it is you, enter your PIN, and then press the hash key. If it is not you, press 9 and the hash key.",
		"That was not right.", "Thank you. You can go on now. Goodbye.", "This call is over. Goodbye.",
	},
	{
		"de-DE", "Jemand meldet sich bei Ihrem Konto an. Wenn Sie es sind, drücken Sie die 1. Wenn nicht, drücken Sie die 9.",
		"Jemand meldet sich bei Ihrem Konto an. Wenn Sie es sind, geben Sie Ihre PIN ein und drücken dann die Rautetaste. Wenn nicht, drücken Sie die 9 und die Rautetaste.",
		"Das war nicht richtig.", "Danke. Sie können jetzt weitermachen. Auf Wiederhören.", "Dieser Anruf ist beendet. Auf Wiederhören.",
	},
	{
		"es-ES", "Alguien está iniciando sesión en su cuenta. Si es usted, pulse 1. Si no es usted, pulse 9.",
		"Alguien está iniciando sesión en su cuenta. Si es usted, marque su PIN y después la tecla almohadilla. Si no es usted, pulse 9 y la tecla almohadilla.",
		"No es correcto.", "Gracias. Ya puede continuar. Adiós.", "Esta llamada ha terminado. Adiós.",
	},
	{
		"fr-FR", "Quelqu'un se connecte à votre compte. Si c'est vous, appuyez sur 1. Sinon, appuyez sur 9.",
		"Quelqu'un se connecte à votre compte. Si c'est vous, saisissez votre code PIN, puis appuyez sur dièse. Sinon, appuyez sur 9, puis sur dièse.",
		"Ce n'est pas correct.", "Merci. Vous pouvez continuer. Au revoir.", "Cet appel est terminé. Au revoir.",
	},
	{
		"it-IT", "Qualcuno sta accedendo al Suo account. Se è Lei, prema 1. Se non è Lei, prema 9.",
		"Qualcuno sta accedendo al Suo account. Se è Lei, digiti il PIN e poi prema cancelletto. Se non è Lei, prema 9 e cancelletto.",
		"Non è corretto.", "Grazie. Ora può andare avanti. Arrivederci.", "Questa chiamata è terminata. Arrivederci.",
	},
	{
		"nl-NL", "Iemand meldt zich aan bij uw account. Bent u het, druk dan op 1. Bent u het niet, druk dan op 9.",
		"Iemand meldt zich aan bij uw account. Bent u het, toets dan uw pincode in en druk op het hekje. Bent u het niet, druk dan op 9 en het hekje.",
		"Dat was niet juist.", "Dank u. U kunt nu verdergaan. Tot ziens.", "Dit gesprek is afgelopen. Tot ziens.",
	},
	{
		"pl-PL", "Ktoś loguje się na Twoje konto. Jeśli to Ty, naciśnij 1. Jeśli nie, naciśnij 9.",
		"Ktoś loguje się na Twoje konto. Jeśli to Ty, wprowadź swój PIN i naciśnij krzyżyk. Jeśli nie, naciśnij 9 i krzyżyk.",
		"To nie było poprawne.", "Dziękujemy. Możesz kontynuować. Do widzenia.", "To połączenie jest zakończone. Do widzenia.",
	},
	{
		"pt-BR", "Alguém está entrando na sua conta. Se for você, pressione 1. Se não for, pressione 9.",
		"Alguém está entrando na sua conta. Se for você, digite seu PIN e depois pressione a tecla jogo da velha. Se não for, pressione 9 e a tecla jogo da velha.",
		"Não está correto.", "Obrigado. Você já pode continuar. Até logo.", "Esta ligação terminou. Até logo.",
	},
	{
		"ja-JP", "あなたのアカウントにサインインしようとしている人がいます。ご本人の場合は1を、そうでない場合は9を押してください。",
		"あなたのアカウントにサインインしようとしている人がいます。ご本人の場合は暗証番号に続けてシャープを、そうでない場合は9とシャープを押してください。",
		"正しくありません。", "ありがとうございます。続けることができます。失礼します。", "この通話は終了しました。失礼します。",
	},
	{
		"zh-CN", "有人正在登录您的账户。如果是您本人，请按1。如果不是，请按9。",
		"有人正在登录您的账户。如果是您本人，请输入您的密码并按井号键。如果不是，请按9和井号键。",
		"输入不正确。", "谢谢。您现在可以继续。再见。", "本次通话已结束。再见。",
	},
}
