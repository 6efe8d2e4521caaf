sallyport_fuzzer(config config_fuzz.cpp LIBS sallyport_config)
