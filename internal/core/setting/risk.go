package setting

// riskKeys are the weights of the reasons for which a sign-in looks like somebody else's, and what is made of them.
var riskKeys = []Key{
	weight("NewDevice", 20, "the person has not signed in on the device", func(v *Risk) *int { return &v.NewDevice }),
	weight("ImpossibleTravel", 50, "nobody comes so fast from where the person signed in last", func(v *Risk) *int { return &v.ImpossibleTravel }),
	weight("AccountFailures", 30, "many attempts at the account failed within the window of Lockout.Password", func(v *Risk) *int { return &v.AccountFailures }),
	weight("NetworkFailures", 30, "many attempts at other accounts failed from the network within that window", func(v *Risk) *int { return &v.NetworkFailures }),
	weight("BadNetwork", 30, "its address is in a list of networks of ill repute", func(v *Risk) *int { return &v.BadNetwork }),
	weight("LeakedPassword", 50, "the password that was typed is in the list of leaked ones", func(v *Risk) *int { return &v.LeakedPassword }),
	limit("Failures", 5, 1, 1000, "How many failed attempts at an account are many.", func(v *Risk) *int { return &v.Failures }),
	limit("Spread", 20, 1, 1_000_000, "How many failed attempts at other accounts are many.", func(v *Risk) *int { return &v.Spread }),
	limit("TravelSpeed", 1000, 100, 100_000, "Kilometres an hour at which nobody travels.", func(v *Risk) *int { return &v.Speed }),
	limit("LowFrom", 20, 1, 1000, "Sum of weights from which the risk of a sign-in is Low.", func(v *Risk) *int { return &v.Low }),
	limit("MediumFrom", 50, 1, 1000, "Sum of weights from which it is Medium.", func(v *Risk) *int { return &v.Medium }),
	limit("HighFrom", 80, 1, 1000, "Sum of weights from which it is High.", func(v *Risk) *int { return &v.High }),
}

func weight(name string, def int64, when string, at func(*Risk) *int) Key {
	return limit(name, def, 0, 100, "How much it adds to the risk of a sign-in when "+when+"; 0: it is not looked for.", at)
}

func limit(name string, def, low, high int64, meaning string, at func(*Risk) *int) Key {
	return integer("Risk."+name, def, low, high, meaning, func(v *Values) *int { return at(&v.Risk) })
}
