from mixop.program import main

main()
